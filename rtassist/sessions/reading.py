"""The lines of a recording, read one after the other: what happened, and what was asked for then."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import orjson
from attrs import define
from pybase64 import b64decode

from rtassist.dialogue import events
from rtassist.dialogue.terms import Terms
from rtassist.protocol import BadFrame, ResponseOutputAudioDelta, decode, decode_with_audio
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


# There is one for each line, and a frozen one would take twice as long to make.
@define
class Begun:
    """A conversation began."""

    line: int
    us: int
    terms: Terms


@define
class Happened:
    """An event other than a chunk of the microphone. `voice`: where its audio stands, if it has some; the
    event holds as much silence.
    """

    line: int
    us: int
    event: events.Event
    voice: Run | None = None


@define
class Heard:
    """Chunks of the microphone, of which nothing came in between. `appended`: see the format."""

    line: int
    us: int
    run: Run
    text: bytes
    """The chunks as they stand in the line."""
    appended: bool
    each: int = 0
    """Samples of every chunk; 0 where they are not of one length."""
    first_us: int = 0
    """When the first of them was heard, since `us`: where the run went on past other lines, before it."""

    @property
    def chunks(self) -> tuple[tuple[int, int], ...]:
        """µs since `us`, and samples, of each."""
        return tuple(map(tuple, orjson.loads(b"[%b]" % self.text)))

    @property
    def last_us(self) -> int:
        """When the last chunk was heard, since the recording began."""
        return self.us + self.chunks[-1][0]


@define
class Asked:
    """An effect, as its body in the notation."""

    line: int
    us: int
    body: bytes
    voice: Run | None = None


@define
class Gap:
    line: int
    us: int
    lines: int


@define
class Ended:
    """It was closed in order; nothing follows."""

    line: int
    us: int
    mic_samples: int
    voice_samples: int


@define
class Torn:
    """The last line was being written when the program ended: it counts for nothing."""

    line: int


Timed = Begun | Happened | Heard | Asked | Gap | Ended
Record = Timed | Torn


def until_us(record: Timed) -> int:
    """The latest moment that a record tells of, since the recording began."""
    return max(record.us, record.last_us) if isinstance(record, Heard) else record.us


_KINDS: Final = (
    *("server", "effect", "client", "event", "mic", "begin"),
    *("server_text", "server_bytes", "gap", "end"),
)
_LINE: Final = re.compile(
    rb'\{"us":(\d{1,18}+),(?:"mic":\[(\d{1,18}+),(\d{1,18}+)\],"chunks":\['
    rb"(\[(-?(?!0\d)\d{1,18}+),((?!0\d)\d{1,18}+)\](?:,\[-?(?!0\d)\d{1,18}+,\6\])*+)\],"
    rb'"appended":(?P<mic>true|false)\}\n'
    rb'|"event":"playback_advanced","item_id":"([!#-\[\]-~]*+)","heard":(?P<advanced>\d{1,18}+)\}\n'
    rb'|(?:"voice":\[(\d{1,18}+),(\d{1,18}+)\],)?"(?P<other>%b)":)' % "|".join(_KINDS).encode()
)
"""How a line begins. Two kinds are half of a recording, and read whole by this without a parser: chunks of
the microphone that are all of one length, and the loudspeaker's progress in an item of a plain id.
"""


def header(line: bytes) -> dict[str, Any]:
    """The first line of a recording. Raises Damaged."""
    try:
        about = notation.parse(line)
    except ValueError:
        about = None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise Damaged(1, "this is no recording of rtassist" if line else "the file is empty")
    if about.get("version") != VERSION:
        raise Damaged(1, f"the recording has version {about.get('version')!r}; this program reads {VERSION}")
    return about


def records(lines: Iterable[bytes], foreseen: list[bytes] | None = None) -> Iterator[Record]:
    """Every line behind the header, as it is read: with line feeds, as a file opened for bytes gives them.

    `foreseen`, which who reads may change between two records: bodies of the effects that the next lines are
    expected to tell. A line that is as we write them is known by that: its body is taken out, and no record
    given. A third of all lines are such, and to read them as any other takes four times as long.

    Raises Damaged at the first line that is no line of a recording, and where one is missing or out of its
    place, as far as the format says it: time runs backwards, samples are missing, nothing has begun.
    """
    us = 0
    number = 1
    head = b""  # if the last line was an event's: what ours of its effects begin with
    sound = _Sound()
    matched = _LINE.match
    record: Record
    try:
        for number, line in enumerate(lines, 2):
            if foreseen and line == b"%b%b\n" % (head, foreseen[0]):
                del foreseen[0]
                continue
            match = matched(line)
            kind = match.lastgroup if match else None
            if match is None or (kind == "other" and not line.endswith(b"}\n")):
                if not line.endswith(b"\n"):
                    yield Torn(number)
                    return
                line = line.rstrip() + b"\n"
                match = matched(line) or _as_we_write(line)
                kind = match.lastgroup
            if kind == "mic":
                record = _heard(number, match)
                sound.heard(record.run)
                head = b""
            elif kind == "advanced":
                at_us, item_id, heard = match.group(1, 8, 9)
                head = line[: match.end(1) + 1]
                record = Happened(number, int(at_us), events.PlaybackAdvanced(item_id.decode(), int(heard)))
                if not sound.running:
                    sound.follows(record)
            else:
                record = _record(number, match)
                head = match.string[: match.start(12) - 1] if type(record) is Happened else b""
                sound.follows(record)
            if record.us < us:
                raise NotRead(f"time runs backwards, from {us} to {record.us} µs")
            us = record.us
            yield record
    except NotRead as bad:
        raise Damaged(number, bad.reason) from None


class _Sound:
    """Holds the runs of samples of successive lines together, and the order of what is there once."""

    def __init__(self) -> None:
        self.running = False
        """A conversation has begun, or may have, and nothing has ended."""
        self._lost = self._ended = False
        self._mic = self._voice = 0  # samples until now
        self._last: Run | None = None

    def heard(self, run: Run) -> None:
        """Raises NotRead if this cannot be the next run of the microphone."""
        self._check_running()
        first, samples = run
        if first != self._mic and not self._lost:
            raise NotRead(self._missing("microphone", self._mic, first))
        self._mic = first + samples

    def follows(self, record: Begun | Happened | Heard | Asked | Gap | Ended) -> None:
        """Raises NotRead if this cannot be the next line."""
        if type(record) is Happened or type(record) is Asked:
            if not self.running:
                self._check_running()
            if record.voice is not None and record.voice != self._last:
                first, samples = self._last = record.voice
                if first != self._voice and not self._lost:
                    raise NotRead(self._missing("voice", self._voice, first))
                self._voice = first + samples
        elif type(record) is Heard:
            self.heard(record.run)
        elif self._ended:
            self._check_running()
        elif type(record) is Begun:
            self.running = True
        elif type(record) is Gap:
            self.running = self._lost = True
        elif type(record) is Ended:
            self.running, self._ended = False, True
            if record.mic_samples != self._mic and not self._lost:
                raise NotRead(self._missing("microphone", self._mic, record.mic_samples))
            if record.voice_samples != self._voice and not self._lost:
                raise NotRead(self._missing("voice", self._voice, record.voice_samples))

    def _check_running(self) -> None:
        if self._ended:
            raise NotRead("something follows the end")
        if not self.running:
            raise NotRead("something happens before a conversation has begun")

    def _missing(self, what: str, until: int, first: int) -> str:
        return f"the {what} goes on at sample {first}, and the lines before it end at {until}"


def _heard(number: int, match: re.Match[bytes]) -> Heard:
    us, first, samples, text, first_us, each, appended = match.group(1, 2, 3, 4, 5, 6, 7)
    run, length = (int(first), int(samples)), int(each)
    if run[1] != text.count(b"[") * length:
        raise NotRead("the chunks are not as long as their run")
    silence(length)
    return Heard(number, int(us), run, text, appended == b"true", length, int(first_us))


def _record(number: int, match: re.Match[bytes]) -> Begun | Happened | Heard | Asked | Gap | Ended:
    us, first, samples, kind = match.group(1, 10, 11, 12)
    voice = (int(first), int(samples)) if first else None
    line = match.string
    if kind == b"server":
        return Happened(number, int(us), _said(line[match.end() : -2], voice), voice)
    if kind == b"effect" or kind == b"client":
        body = line[match.start(12) - 1 : -1]
        _proved(body)
        return Asked(number, int(us), body, voice)
    fields = _parsed(line)
    if kind == b"event":
        return Happened(number, int(us), notation.read_event(fields))
    return _seldom(number, int(us), kind, fields)


def _seldom(
    number: int, us: int, kind: bytes, fields: dict[str, Any]
) -> Begun | Happened | Heard | Gap | Ended:
    try:
        match kind:
            case b"mic":
                return _heard_unevenly(number, us, fields)
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
    except (KeyError, TypeError, ValueError, OverflowError) as error:  # of Infinity
        raise NotRead(f"{kind.decode()} is not as it should be ({error})") from None


def _heard_unevenly(number: int, us: int, fields: dict[str, Any]) -> Heard:
    """A run of chunks of different lengths, or as another program writes it."""
    chunks = [(int(at_us), int(samples)) for at_us, samples in fields["chunks"]]
    first, samples = fields["mic"]
    lengths = {chunk for _, chunk in chunks}
    for length in lengths:
        silence(length)
    if samples != sum(chunk for _, chunk in chunks) or not chunks:
        raise NotRead("the chunks are not as long as their run")
    each = chunks[0][1] if len(lengths) == 1 else 0
    text = orjson.dumps(chunks)[1:-1]
    return Heard(number, us, (int(first), samples), text, bool(fields["appended"]), each, chunks[0][0])


def _said(frame: bytes, voice: Run | None) -> events.Event:
    try:
        if voice is None:
            return events.ServerSaid(decode(frame), frame)
        event = decode_with_audio(frame.decode(), silence(voice[1]))
    except (BadFrame, UnicodeDecodeError) as bad:
        raise NotRead(f"the frame of the server cannot be read: {bad}") from None
    if not isinstance(event, ResponseOutputAudioDelta):
        raise NotRead("it has a run of samples, and no audio")
    return events.ServerSaid(event, frame)


@lru_cache(maxsize=64)
def _proved(body: bytes) -> None:
    """It is an effect's JSON. Mostly one before has shown it: a voice is played in pieces of one length."""
    fields = _parsed(b"{" + body)
    if not isinstance(fields.get("client", {}), dict) or not isinstance(fields.get("effect", ""), str):
        raise NotRead("nothing can have been asked for so")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = notation.parse(line)  # an object, by what it was matched with
    except ValueError as error:
        raise NotRead(f"no JSON ({error})") from None
    return fields


def _as_we_write(line: bytes) -> re.Match[bytes]:
    """Another program's line: the same with our order of keys, and without spaces."""
    try:
        fields = notation.parse(line[:-1])
    except ValueError as error:
        raise NotRead(f"no JSON ({error})") from None
    if not isinstance(fields, dict):
        raise NotRead("no JSON object")
    first = {key: fields.pop(key) for key in ("us", "voice", *_KINDS) if key in fields}
    match = _LINE.match(notation.text(first | fields).encode() + b"\n")
    if match is None:
        raise NotRead("no line of a recording looks like this")
    return match
