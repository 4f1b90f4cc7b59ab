"""A recording as the conversation that it was: who said what and when, and what of it was heard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from attrs import evolve, frozen

from rtassist.dialogue import events
from rtassist.dialogue.effects import Role
from rtassist.dialogue.state import SAMPLES_PER_MS
from rtassist.dialogue.terms import Turn
from rtassist.protocol import InputAudioBufferSpeechStarted, InputAudioBufferSpeechStopped
from rtassist.sessions import notation
from rtassist.sessions.reading import Asked, Begun, Damaged, Ended, Happened, Record, Torn, until_us


@frozen(kw_only=True)
class Line:
    """What one of the two said. `text` is what was heard of it, as the screen showed it.

    Times are microseconds since the recording began: of the user's speech, as the server told of it; of the
    assistant's voice, from the first sample handed to the loudspeaker to its last report.
    """

    item_id: str
    role: Role
    conversation: int = 0
    """Counted from 0: a recording holds several where the user began anew."""
    began_us: int
    ended_us: int
    text: str = ""
    cut: bool = False
    """It was interrupted."""
    unsaid: str = ""
    """What the interruption cut off."""
    typed: bool = False
    heard_ms: int | None = None
    """Of a voice that has ended: how much of it sounded, by the loudspeaker's report."""
    over: bool = False
    """False where the recording ends in the middle of the line."""


@frozen(kw_only=True)
class ToolCall:
    """A function that the model called. `output` is None where the recording has none."""

    call_id: str
    name: str
    conversation: int = 0
    began_us: int
    ended_us: int
    arguments: str
    output: str | None = None


Entry = Line | ToolCall


@frozen(kw_only=True)
class Transcript:
    entries: tuple[Entry, ...] = ()
    """In the order in which they began."""
    duration_us: int = 0
    conversations: int = 0
    closed: bool = False
    """It was closed in order; else it broke off, or is still being written."""
    earlier: tuple[Turn, ...] = ()
    """What the last conversation was told of an earlier one when it began."""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, Line))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, ToolCall))


def transcript(records: Iterable[Record]) -> Transcript:
    """Reads all of `records`. Raises Damaged at an effect that is none, and what `records` raise."""
    collected = _Collected()
    for record in records:
        collected.take(record)
    return collected.transcript()


_SHOWN: Final = (b'"effect":"awaited"', b'"effect":"said"', b'"effect":"line_ended"')
_PLAY: Final = b'"effect":"play"'
_CALL: Final = b'"effect":"call_tool"'

_Key = tuple[int, str]
"""Conversation and item or call: a new conversation may use the ids of the one before."""


class _Collected:
    """What of the conversation has been read so far."""

    def __init__(self) -> None:
        self._lines: dict[_Key, Line] = {}
        self._calls: dict[_Key, ToolCall] = {}
        self._began: dict[_Key, int] = {}  # when the speech of an item began, and ended
        self._ended: dict[_Key, int] = {}
        self._heard_ms: dict[_Key, int] = {}
        self._us = 0
        self._conversations = 0
        self._closed = False
        self._earlier: tuple[Turn, ...] = ()

    def take(self, record: Record) -> None:
        match record:
            case Asked():
                try:
                    self._asked(record.us, record.body)
                except (KeyError, ValueError) as error:
                    raise Damaged(record.line, f"the effect is not as it should be ({error})") from None
            case Happened(event=event):
                self._happened(record.us, event)
            case Begun(terms=terms):
                self._conversations += 1
                self._earlier = terms.history
            case Ended():
                self._closed = True
            case _:
                pass
        if not isinstance(record, Torn):
            self._us = until_us(record)

    def transcript(self) -> Transcript:
        lines = (self._timed(key, line) for key, line in self._lines.items())
        entries: list[Entry] = [line for line in lines if line.text.strip() or line.unsaid.strip()]
        entries += (
            call if call.output is not None else evolve(call, ended_us=self._us)
            for call in self._calls.values()
        )
        return Transcript(
            entries=tuple(sorted(entries, key=lambda entry: entry.began_us)),
            duration_us=self._us,
            conversations=self._conversations,
            closed=self._closed,
            earlier=self._earlier,
        )

    def _timed(self, key: _Key, line: Line) -> Line:
        began_us = self._began.get(key, line.began_us)
        ended_us = self._ended.get(key, line.ended_us if line.over else self._us)
        return evolve(
            line, began_us=began_us, ended_us=max(began_us, ended_us), heard_ms=self._heard_ms.get(key)
        )

    def _key(self, id: str) -> _Key:
        return max(self._conversations - 1, 0), id

    def _asked(self, us: int, body: bytes) -> None:
        if body.startswith(_SHOWN):
            self._shown(us, _fields(body))
        elif body.startswith(_PLAY):
            self._began.setdefault(self._key(_fields(body)["item_id"]), us)
        elif body.startswith(_CALL):
            fields = _fields(body)
            key = self._key(fields["call_id"])
            self._calls[key] = ToolCall(
                call_id=fields["call_id"],
                name=fields["name"],
                conversation=key[0],
                began_us=us,
                ended_us=us,
                arguments=fields["arguments"],
            )

    def _shown(self, us: int, fields: dict[str, Any]) -> None:
        kind, item_id, role = fields["effect"], fields["item_id"], fields["role"]
        key = self._key(item_id)
        if kind == "awaited":
            if role == "user":  # an assistant's line begins with its first word or sound
                self._began.setdefault(key, us)
            return
        line = self._lines.get(key) or Line(
            item_id=item_id, role=role, conversation=key[0], began_us=us, ended_us=us
        )
        if kind == "said":
            self._lines[key] = evolve(line, text=line.text + fields["words"])
            return
        self._lines[key] = evolve(
            line,
            ended_us=us,
            text=fields["text"],
            cut=fields["cut"],
            unsaid=fields["unsaid"],
            typed=fields["typed"],
            over=True,
        )

    def _happened(self, us: int, event: events.Event) -> None:
        match event:
            case events.ServerSaid(event=InputAudioBufferSpeechStarted(item_id=item_id)):
                self._began.setdefault(self._key(item_id), us)
            case events.ServerSaid(event=InputAudioBufferSpeechStopped(item_id=item_id)):
                self._ended.setdefault(self._key(item_id), us)
            case events.PlaybackEnded(item_id=item_id, heard=heard):
                self._ended.setdefault(self._key(item_id), us)
                self._heard_ms.setdefault(self._key(item_id), heard // SAMPLES_PER_MS)
            case events.ToolEnded(call_id=call_id, output=output):
                key = self._key(call_id)
                if (call := self._calls.get(key)) is not None:
                    self._calls[key] = evolve(call, ended_us=us, output=output)
            case _:
                pass


def _fields(body: bytes) -> dict[str, Any]:
    """Of an effect that is shown, played or called. Raises ValueError where one has another type."""
    fields: dict[str, Any] = notation.parse(b"{" + body)
    for name, value in fields.items():
        kind = bool if name in ("cut", "typed") else int if name == "samples" else str
        if not isinstance(value, kind):
            raise ValueError(f"{name} is {value!r}")
    return fields


def duration(us: int) -> str:
    """`1:02:03`, or `2:03`."""
    minutes, seconds = divmod(us // 1_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def one_line(text: str) -> str:
    """Text without what breaks a line or is obeyed by a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
