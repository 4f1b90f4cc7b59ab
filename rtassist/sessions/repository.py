"""The interface of what keeps recordings, and what can be known of one without reading it again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import chain
from typing import Any, ClassVar, Final, Protocol

from attrs import field, frozen

from rtassist.errors import Failure
from rtassist.sessions import reading
from rtassist.sessions.journal import FORMAT
from rtassist.sessions.reading import Damaged
from rtassist.sessions.transcript import Entry, Line, transcript

NEWEST: Final = "last"
"""The name of the newest recording, besides its id."""


_NOTHING: Final = "it broke off before anything was recorded"
_LONGEST_US: Final = 2**53
"""What another program may take for a time is no reason to fail: 285 years, and exact in every JSON."""


class State(Enum):
    """What a kept file is."""

    WHOLE = "whole"
    UNFINISHED = "unfinished"
    """Not closed: the program died, or is still recording."""
    DAMAGED = "damaged"
    FOREIGN = "foreign"
    """No recording of ours, or of a version that this program does not read."""


@frozen(kw_only=True)
class Kept:
    """What is known of a recording without reading it again."""

    id: str
    state: State
    problem: str = ""
    """Why it is damaged or foreign, with the line's number; or that there is nothing in it."""
    started: str = ""
    """UTC, ISO 8601; of a foreign file, when it was written last. Empty where nobody knows."""
    model: str = ""
    resumed: str = ""
    """The id of the recording that it goes on with."""
    redacted: tuple[str, ...] = ()
    """What was taken out of it: text, audio."""
    duration_us: int = 0
    turns: int = 0
    """Lines of the user."""
    interruptions: int = 0
    calls: int = 0
    first: str = ""
    """The first words of the user, or else of the assistant."""
    size: int = 0
    """Bytes, the audio beside it included."""
    audio: bool = False
    """There is audio beside it."""


@frozen
class Match:
    """A line of a conversation (or a function call) in which all words that were looked for occur."""

    id: str
    began_us: int
    who: str
    """user, assistant, or the name of a function."""
    text: str
    """What was heard of the line; behind it what was cut off. Of a call: its arguments and output."""


class NotKept(Failure):
    """No recording has such an id."""

    exit_code: ClassVar[int] = 2


class Ambiguous(Failure):
    """Several recordings have ids that begin so."""

    exit_code: ClassVar[int] = 2

    def __init__(self, prefix: str, candidates: Sequence[str]) -> None:
        shown = ", ".join(candidates[:8]) + (", …" if len(candidates) > 8 else "")
        super().__init__(
            f"{len(candidates)} recordings begin with {prefix!r}: {shown}. Type more of the one you mean."
        )
        self.candidates = tuple(candidates)


class BeingRecorded(Failure):
    """A program still writes it: what took its place would miss all that is to come."""

    exit_code: ClassVar[int] = 2

    def __init__(self, id: str) -> None:
        super().__init__(f"{id} is being recorded. It can be changed when that conversation has ended.")


class Repository(Protocol):
    """Recordings by their ids. What cannot be read of the folder or disk raises errors.Failure."""

    def all(self) -> list[Kept]:
        """All of them, the newest first; what is no recording or is damaged among them."""

    def find(self, name: str) -> str:
        """The id that begins with `name`, or is it; of `last` the newest one's. Raises NotKept, Ambiguous."""

    def load(self, id: str) -> Iterator[bytes]:
        """Its lines as they are, with their line feeds. Raises NotKept."""

    def search(self, words: str) -> list[Match]:
        """Lines in which each of `words` begins a word: newest recording first, in order within each."""

    def save(self, id: str, lines: Iterable[bytes]) -> None:
        """Keep these lines, in place of a recording of this id if there is one: whole or not at all.

        Raises BeingRecorded.
        """

    def drop_audio(self, id: str) -> None:
        """Delete the audio beside a recording; its text stays as it is. Raises NotKept, BeingRecorded."""

    def forget(self, id: str) -> None:
        """Delete a recording and all that belongs to it. Raises NotKept, BeingRecorded."""


@frozen
class Described:
    """A file that was read: what is known of it, and what it can be found by."""

    kept: Kept
    matches: tuple[Match, ...] = field(default=())


def described(id: str, lines: Iterable[bytes], written: float = 0.0) -> Described:
    """Reads all of a file. `written`: when that was, in Unix seconds; it dates what does not date itself."""
    remaining = iter(lines)
    first = next(remaining, b"")
    dated = _iso(written)
    if not first.endswith(b"\n") and (not first or first.startswith(b'{"format":"%b"' % FORMAT.encode())):
        return Described(Kept(id=id, state=State.UNFINISHED, problem=_NOTHING, started=dated))
    try:
        about = reading.header(first)
    except Damaged as damaged:
        return Described(Kept(id=id, state=State.FOREIGN, problem=str(damaged), started=dated))
    known: dict[str, Any] = {
        "id": id,
        "started": _started(about.get("started")) or dated,
        "model": _text(about.get("model")),
        "resumed": _text(about.get("resumed")),
        "redacted": _texts(about.get("redacted")),
    }
    try:
        told = transcript(reading.records(remaining))
    except Damaged as damaged:
        return Described(Kept(state=State.DAMAGED, problem=str(damaged), **known))
    said = [line.text for line in told.lines if line.role == "user"]
    kept = Kept(
        state=State.WHOLE if told.closed else State.UNFINISHED,
        duration_us=min(told.duration_us, _LONGEST_US),
        turns=len(said),
        interruptions=sum(line.cut for line in told.lines),
        calls=len(told.calls),
        first=_text(" ".join(next(chain(said, (line.text for line in told.lines)), "").split())[:200]),
        **known,
    )
    return Described(kept, tuple(_match(id, entry) for entry in told.entries))


def _match(id: str, entry: Entry) -> Match:
    began_us = min(entry.began_us, _LONGEST_US)
    if isinstance(entry, Line):
        return Match(id, began_us, entry.role, _text(entry.text + entry.unsaid))
    return Match(id, began_us, _text(entry.name), _text(f"{entry.arguments} {entry.output or ''}".strip()))


def found(name: str, ids: Iterable[str]) -> str:
    """The one of `ids` that is `name` or begins with it, or whose last part does: its letters.

    Raises NotKept, Ambiguous.
    """
    candidates = []
    for id in ids:
        if id == name:
            return id
        if name and (id.startswith(name) or id.rpartition("_")[2].startswith(name)):
            candidates.append(id)
    if len(candidates) > 1:
        raise Ambiguous(name, sorted(candidates, reverse=True))
    if not candidates:
        raise NotKept(f"No recording begins with {name!r}; `rtassist sessions list` shows those there are.")
    return candidates[0]


def newest_first(kept: Iterable[Kept]) -> list[Kept]:
    return sorted(kept, key=lambda one: (one.started, one.id), reverse=True)


def newest(kept: Iterable[Kept]) -> str:
    """The id of the newest recording. Raises NotKept."""
    for one in newest_first(kept):
        if one.state is not State.FOREIGN and one.problem != _NOTHING:
            return one.id
    raise NotKept("There is no recording yet; `rtassist talk` makes one.")


_WORD: Final = re.compile(r"[^\W_]+")
_ALONE: Final = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
"""Kana and ideographs: what is written without spaces is looked for by character."""


def words_of(text: str) -> list[str]:
    """The words that a text is found by: without case, accents and punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _WORD.findall(_ALONE.sub(r" \1 ", plain))


def _started(value: object) -> str:
    """An ISO time as UTC to the second, so that texts sort as times; empty if it is none."""
    try:
        time = datetime.fromisoformat(value if isinstance(value, str) else "")
        time = time.astimezone(UTC) if time.tzinfo else time
    except (ValueError, OverflowError):  # the first day of the year 1, east of Greenwich
        return ""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _iso(unix_s: float) -> str:
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%dT%H:%M:%SZ}" if unix_s else ""


def _text(value: object) -> str:
    """A text that can be stored: a terminal may have given a lone surrogate."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()
