"""Event logs of other programs: one Realtime event a line, bare or with its direction, or one JSON array.

`{"type":"response.created",…}`, or `{"dir"|"direction":"client"|"server"|"sent"|"received"|"in"|"out",
"event"|"data":{…}}`, where the event may also be a text. Directions are the client's: what is `in` came from
the server. The server's events go through `step`, with a loudspeaker that has sounded everything at once; the
client's are held against what a client may send, and both against the laws of the protocol. How much audio
there was is not checked: logs cut it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

import attrs
from attrs import frozen

from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Finish, Hush, LineEnded, Send, Show
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import begin, step
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    BadFrame,
    ClientEvent,
    ConversationItemCreate,
    ResponseCreated,
    ServerEvent,
    ServerVad,
    Session,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    Unknown,
    UserMessage,
    decode,
    decode_client,
)
from rtassist.protocol.catalogue import ALIASES, CLIENT
from rtassist.sessions import notation
from rtassist.sessions.laws_of_logs import Break, Laws
from rtassist.sessions.reading import Asked, Begun, Damaged, Ended, Happened, Record
from rtassist.sessions.summary import Summary, summarise

BREAKS: Final = 1000
"""Breaks that are kept; the rest is counted."""
_OPENING: Final = 20
"""Frames that are looked at for the terms: both sides have said them by then."""
_SIDES: Final = {
    **dict.fromkeys(("client", "sent", "out"), True),
    **dict.fromkeys(("server", "received", "in"), False),
}


@frozen
class Frame:
    """One event of a log: the line it stands in, or its place in the array; from 1."""

    number: int
    from_client: bool
    event: ServerEvent | ClientEvent | Unknown | BadFrame


@frozen
class Log:
    """What a log says. `breaks`: the laws that it breaks; `notes`: what is unusual in it."""

    frames: int
    summary: Summary
    breaks: tuple[Break, ...]
    more_breaks: int
    notes: tuple[str, ...]


def is_log(first_line: bytes) -> bool:
    """Whether a file that begins with this line is such a log."""
    if first_line.lstrip().startswith(b"["):
        return True
    try:
        return _unwrapped(notation.parse(first_line)) is not None
    except ValueError:
        return False


def check(lines: Iterable[bytes]) -> Log:
    """Read a log to its end. Raises Damaged for what is no log, or no log any more from some line on."""
    return _Check(lines).log()


class _Check:
    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._laws = Laws()
        self._breaks: list[Break] = []
        self._more = 0
        self._frames = 0
        self._torn = ""

    def log(self) -> Log:
        summary = summarise(_folded(self._checked(self._read())))
        notes = tuple(f"frame {frame}: {what}" for what, frame in self._laws.notes.items())
        return Log(
            self._frames,
            attrs.evolve(summary, duration_us=0, latencies=()),  # times were not recorded
            tuple(self._breaks),
            self._more,
            (*notes, self._torn) if self._torn else notes,
        )

    def _read(self) -> Iterator[Frame]:
        lines = iter(self._lines)
        first = next(lines, b"")
        if first.lstrip().startswith(b"["):
            yield from _of_array(first + b"".join(lines))
            return
        for number, line in enumerate(chain((first,), lines), 1):
            if not line.strip():
                continue
            try:
                value = notation.parse(line)
            except ValueError as error:
                if not line.endswith(b"\n"):
                    self._torn = f"frame {number}: it is torn, and does not count"
                    return
                raise Damaged(number, f"no JSON ({error})") from None
            yield _frame(number, value)

    def _checked(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            self._frames = frame.number
            self._keep(self._broken(frame))
            yield frame
        if not self._torn:
            self._keep(self._laws.end(self._frames))

    def _broken(self, frame: Frame) -> Iterator[Break]:
        if isinstance(frame.event, BadFrame):
            yield Break(frame.number, f"is no Realtime event: {frame.event}")
        elif frame.from_client:
            yield from self._laws.client(frame.number, frame.event)  # type: ignore[arg-type]  # by from_client
        else:
            yield from self._laws.server(frame.number, frame.event)  # type: ignore[arg-type]  # by from_client

    def _keep(self, breaks: Iterable[Break]) -> None:
        for each in breaks:
            if len(self._breaks) < BREAKS:
                self._breaks.append(each)
            else:
                self._more += 1


def _of_array(text: bytes) -> Iterator[Frame]:
    try:
        values = notation.parse(text)
    except ValueError as error:
        raise Damaged(1, f"no JSON ({error})") from None
    for number, value in enumerate(values, 1):
        yield _frame(number, value)


def _unwrapped(value: Any) -> tuple[dict[str, Any], bool] | None:
    """The event of an entry, and whether the client sent it; None for what is no entry of a log."""
    if not isinstance(value, dict):
        return None
    side = value.get("dir", value.get("direction"))
    event = value.get("event", value.get("data"))
    if isinstance(side, str) and side.lower() in _SIDES and event is not None:
        if isinstance(event, str):
            try:
                event = notation.parse(event.encode(errors="surrogatepass"))
            except ValueError:
                return None
        return (event, _SIDES[side.lower()]) if isinstance(event, dict) else None
    name = value.get("type")
    return (value, ALIASES.get(name, name) in CLIENT) if isinstance(name, str) else None


def _frame(number: int, value: Any) -> Frame:
    entry = _unwrapped(value)
    if entry is None:
        raise Damaged(number, "neither a Realtime event nor one with its direction")
    fields, from_client = entry
    text = notation.text(fields)
    try:
        return Frame(number, from_client, decode_client(text) if from_client else decode(text))
    except BadFrame as bad:
        return Frame(number, from_client, bad)


def _folded(frames: Iterable[Frame]) -> Iterator[Record]:
    """The log as a recording: what the server said, what the client sent, and what is shown and played."""
    frames = iter(frames)
    opening: list[Frame] = []
    for frame in frames:
        opening.append(frame)
        if len(opening) == _OPENING or isinstance(frame.event, SessionUpdate | ResponseCreated):
            break
    terms = _terms(opening)
    state = begin(terms)
    number = 0
    yield Begun(0, 0, terms)
    for frame in chain(opening, frames):
        number = frame.number
        if isinstance(frame.event, BadFrame):
            continue
        if frame.from_client:
            yield from _sent(number, frame.event)
            continue
        due: list[events.Event] = [events.ServerSaid(frame.event)]  # type: ignore[arg-type]  # the server's
        while due:
            event = due.pop(0)
            yield Happened(number, 0, event)
            state, effects = step(state, 0, event)
            for effect in effects:
                due += _sounded(state, effect)
                if not isinstance(effect, Send):  # the log tells by itself what its client sent
                    yield Asked(number, 0, notation.effect_body(effect))
    yield Ended(number, 0, 0, 0)


def _sounded(state: Conversation, effect: Effect) -> list[events.Event]:
    if isinstance(effect, Finish | Hush) and effect.item_id in state.utterances:
        return [events.PlaybackEnded(effect.item_id, state.utterances[effect.item_id].handed)]
    return []


def _sent(number: int, event: Any) -> Iterator[Record]:
    if isinstance(event, Unknown):
        return
    body = b'"client":' + notation.text({"type": event.type}).encode() + b"}"
    yield Asked(number, 0, body)
    if isinstance(event, ConversationItemCreate) and isinstance(event.item, UserMessage):
        said = " ".join(part.text for part in event.item.content or () if isinstance(part.text, str))
        yield Asked(number, 0, notation.effect_body(Show(LineEnded("", "user", said, typed=True))))


def _terms(opening: Iterable[Frame]) -> Terms:
    """What the client asked for; where it says nothing, what the server says; else the usual."""
    said = [
        frame.event.session
        for kind in (SessionUpdate, SessionUpdated, SessionCreated)
        for frame in opening
        if isinstance(frame.event, kind) and isinstance(frame.event.session, Session)
    ]
    session = said[0] if said else Session(type="realtime")
    heard = session.audio.input if session.audio else None
    turns = heard.turn_detection if heard else None
    by_server = turns is not None if heard else True
    return Terms(
        session=session,
        voiced=session.output_modalities != ("text",),
        server_turns=by_server,
        interrupts=turns.interrupt_response is not False if isinstance(turns, ServerVad) else True,
        keyboard=True,
    )
