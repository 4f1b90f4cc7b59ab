"""The lines of a recording, read one after the other: what happened, and what was asked for then."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import attrs
import orjson
from attrs import frozen
from pybase64 import b64decode

from rtassist.dialogue import events
from rtassist.dialogue.state import Terms
from rtassist.protocol import ResponseOutputAudioDelta
from rtassist.sessions import notation
from rtassist.sessions.journal import FORMAT, VERSION
from rtassist.sessions.notation import NotRead

LONGEST_RUN: Final = 10 * 60 * 24_000
"""Samples in one piece: more than a frame can hold."""

Run = tuple[int, int]
"""A run of samples: the first one, and how many."""


@lru_cache(maxsize=64)
def silence(samples: int) -> bytes:
    """So many samples in place of those that stand in the file beside. Raises NotRead for more than there can
    be.
    """
    if not 0 <= samples <= LONGEST_RUN:
        raise NotRead(f"nothing is {samples} samples long")
    return bytes(2 * samples)


class Damaged(ValueError):  # noqa: N818  # what happened is the name, as everywhere here
    """Not a recording, or one that cannot be read from this line on. `line`: counted from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


@frozen
class Begun:
    """A conversation began."""

    line: int
    us: int
    terms: Terms


@frozen
class Happened:
    """An event other than a chunk of the microphone. `voice`: where its audio stands, if it has some; the
    event holds as much silence.
    """

    line: int
    us: int
    event: events.Event
    voice: Run | None = None


@frozen
class Heard:
    """Chunks of the microphone, of which nothing came in between. `appended`: see the format."""

    line: int
    us: int
    run: Run
    chunks: tuple[tuple[int, int], ...]
    """µs since `us`, and samples, of each."""
    appended: bool


@frozen
class Asked:
    """An effect, as its body in the notation."""

    line: int
    us: int
    body: bytes
    voice: Run | None = None


@frozen
class Gap:
    line: int
    us: int
    lines: int


@frozen
class Ended:
    """It was closed in order; nothing follows."""

    line: int
    us: int
    mic_samples: int
    voice_samples: int


@frozen
class Torn:
    """The last line was being written when the program ended: it counts for nothing."""

    line: int


Record = Begun | Happened | Heard | Asked | Gap | Ended | Torn

_KINDS: Final = (
    *("server", "effect", "client", "event", "mic", "begin"),
    *("server_text", "server_bytes", "gap", "end"),
)
_LINE: Final = re.compile(rb'\{"us":(\d+),(?:"voice":\[(\d+),(\d+)\],)?"(%b)":' % "|".join(_KINDS).encode())


def header(line: bytes) -> dict[str, Any]:
    """The first line of a recording. Raises Damaged."""
    try:
        about = notation.parse(line)
    except ValueError:
        about = None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise Damaged(1, "this is no recording of rtassist")
    if about.get("version") != VERSION:
        raise Damaged(1, f"the recording has version {about.get('version')!r}; this program reads {VERSION}")
    return about


def records(lines: Iterable[bytes]) -> Iterator[Record]:
    """Every line behind the header, as it is read: with line feeds, as a file opened for bytes gives them.

    Raises Damaged at the first line that is no line of a recording, and where time runs backwards.
    """
    us = 0
    ended = False
    for number, line in enumerate(lines, 2):
        if not line.endswith(b"\n"):
            yield Torn(number)
            return
        if ended:
            raise Damaged(number, "something follows the end")
        try:
            record = _record(number, line[:-1])
        except NotRead as bad:
            raise Damaged(number, bad.reason) from None
        if record.us < us:
            raise Damaged(number, f"time runs backwards, from {us} to {record.us} µs")
        us = record.us
        ended = isinstance(record, Ended)
        yield record


def _record(number: int, line: bytes) -> Begun | Happened | Heard | Asked | Gap | Ended:
    match = _LINE.match(line) or _LINE.match(line := _as_we_write(line))
    if match is None:
        raise NotRead("no line of a recording looks like this")
    us, first, samples, kind = match.groups()
    voice = (int(first), int(samples)) if first else None
    if kind == b"server":
        return Happened(number, int(us), _said(line[match.end() : -1], voice), voice)
    if kind in (b"effect", b"client"):
        _parsed(line)
        return Asked(number, int(us), line[match.start(4) - 1 :], voice)
    return _seldom(number, int(us), kind, _parsed(line))


def _seldom(
    number: int, us: int, kind: bytes, fields: dict[str, Any]
) -> Begun | Happened | Heard | Gap | Ended:
    try:
        match kind:
            case b"event":
                return Happened(number, us, notation.read_event(fields))
            case b"mic":
                chunks = tuple((int(at_us), int(samples)) for at_us, samples in fields["chunks"])
                first, samples = fields["mic"]
                if samples != sum(chunk for _, chunk in chunks) or not chunks:
                    raise NotRead("the chunks are not as long as their run")
                return Heard(number, us, (first, samples), chunks, bool(fields["appended"]))
            case b"begin":
                return Begun(number, us, notation.read_terms(fields["begin"]))
            case b"server_text":
                return Happened(number, us, notation.read_frame(fields["server_text"]))
            case b"server_bytes":
                return Happened(number, us, notation.read_frame(b64decode(fields["server_bytes"])))
            case b"gap":
                return Gap(number, us, int(fields["gap"]["lines"]))
            case _:
                end = fields["end"]
                return Ended(number, us, int(end["mic_samples"]), int(end["voice_samples"]))
    except NotRead:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise NotRead(f"{kind.decode()} is not as it should be ({error})") from None


def _said(frame: bytes, voice: Run | None) -> events.Event:
    said = notation.read_frame(frame)
    if isinstance(said, events.FrameUnreadable):
        raise NotRead(f"the frame of the server cannot be read: {said.reason}")
    if voice is not None:
        if not isinstance(said.event, ResponseOutputAudioDelta):
            raise NotRead("it has a run of samples, and no audio")
        said = attrs.evolve(said, event=attrs.evolve(said.event, delta=silence(voice[1])))
    return said


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = notation.parse(line)  # an object, by what it was matched with
    except ValueError as error:
        raise NotRead(f"no JSON ({error})") from None
    return fields


def _as_we_write(line: bytes) -> bytes:
    """Another program's line: the same with our order of keys, and without spaces."""
    try:
        fields = notation.parse(line)
    except ValueError as error:
        raise NotRead(f"no JSON ({error})") from None
    if not isinstance(fields, dict):
        raise NotRead("no JSON object")
    first = {key: fields.pop(key) for key in ("us", "voice", *_KINDS) if key in fields}
    return orjson.dumps(first | fields)
