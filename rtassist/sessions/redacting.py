"""A recording without its words, its sound, or both, that replays as it did and can be given away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs
from pybase64 import b64decode, b64encode, b64encode_as_string

from rtassist.dialogue import commands, events, questions
from rtassist.dialogue.commands import Command, Order
from rtassist.dialogue.effects import Effect, Notice, Play, Quit, Send, Show
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import begin, step
from rtassist.errors import Failure
from rtassist.protocol import (
    BadFrame,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ResponseOutputAudioDelta,
    Unknown,
)
from rtassist.sessions import notation, reading
from rtassist.sessions.blotting import (
    LETTER,
    OTHER_LETTER,
    blot,
    blot_json,
    blot_local,
    blot_terms,
    blot_unknown_event,
    dumped,
)
from rtassist.sessions.reading import Asked, Begun, Ended, Gap, Happened, Heard, Record, Run, Torn

_HEADER: Final = frozenset(
    {
        *("format", "version", "id", "started", "program", "python", "platform", "model", "audio", "resumed"),
        "redacted",
    }
)
"""What of the header says nothing about the user."""


class CannotRedact(Failure):
    """The rules would decide otherwise about the redacted recording; `line` says where."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(
            f"line {line}: {reason}. Without its words this recording would not replay as it does; "
            "--audio takes out the sound alone."
        )
        self.line = line


class Redaction:
    """One redaction of a recording that replays equal. `lines` has to be read to its end.

    A torn last line is left out. Raises Damaged, CannotRedact.
    """

    def __init__(self, lines: Iterable[bytes], *, text: bool, audio: bool) -> None:
        self._lines = iter(lines)
        self._text = text
        self._audio = audio
        self._was: Conversation | None = None  # None: behind a gap, nobody knows
        self._is: Conversation | None = None
        self._began_us = 0
        self._asked: list[Effect] = []  # what is still to be asked for, by the redacted recording
        self.kept: list[str] = []
        """Phrases that were left as they are, for they are commands."""

    def lines(self) -> Iterator[bytes]:
        yield self._header() + b"\n"
        for record in reading.records(self._lines):
            if (line := self._line(record)) is not None:
                yield line + b"\n"

    def _header(self) -> bytes:
        about = reading.header(next(self._lines, b""))
        before = about.get("redacted")
        done = {*(before if isinstance(before, list) else ())}
        done |= {name for name, wanted in (("text", self._text), ("audio", self._audio)) if wanted}
        if self._text:
            own = {"url": None} if about.get("url", "") is None else {}  # the program's own server: no cost
            about = {key: value for key, value in about.items() if key in _HEADER} | own
        if self._audio:
            about["audio"] = False
        return dumped(about | {"redacted": sorted(map(str, done))})

    def _line(self, record: Record) -> bytes | None:
        match record:
            case Begun():
                return _line(record.us, self._begun(record))
            case Happened():
                return _line(record.us, self._happened(record), record.voice)
            case Heard():
                self._heard(record)
                return _run_line(record)
            case Asked():
                return _line(record.us, self._asked_body(record), record.voice)
            case Gap(us=us, lines=lines):
                self._was = self._is = None
                return _line(us, b'"gap":{"lines":%d}}' % lines)
            case Ended(us=us, mic_samples=mic, voice_samples=voice):
                return _line(us, b'"end":{"mic_samples":%d,"voice_samples":%d}}' % (mic, voice))
            case Torn():
                return None

    def _begun(self, record: Begun) -> bytes:
        terms = record.terms
        if self._text:
            try:
                terms = blot_terms(terms)
            except BadFrame as bad:
                raise CannotRedact(record.line, f"the session's settings {bad}") from None
        self._was, self._is, self._began_us = begin(record.terms), begin(terms), record.us
        self._asked = []
        return notation.terms_body(terms)

    def _happened(self, record: Happened) -> bytes:
        """The line of what happened, after it has been decided both ways."""
        if not self._text:
            return self._body(record.event, record.voice)
        keeps = self._command(record.event)
        for letter in (LETTER, "") if keeps else (LETTER, OTHER_LETTER):
            body = self._blotted(record, letter, keeps)
            event = _event(body, record.voice, record.line)
            if self._decided(record, event):
                if keeps:
                    self._keep(_obeyed(event, whole=not letter))
                return body
        if (words := self._words_in_doubt(record.event)) and self._decided(record, record.event):
            self._keep(words)
            return self._body(record.event, record.voice)
        raise CannotRedact(record.line, "something else would be done here")

    def _command(self, event: events.Event) -> str:
        """The field of a text that is a command and must stay; empty if there is none."""
        if self._was is None:
            return ""
        terms = self._was.terms
        match event:
            case events.Typed(text=text):
                line = text.strip()
                order = commands.slash(line) if line.startswith("/") else commands.phrase(line, terms)
                answers = questions.typed_answer(self._was, line) is not None
                if isinstance(order, Order | Command) or answers:
                    return "text"
            case events.ServerSaid(
                event=ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, transcript=transcript)
            ) if (
                commands.phrase(transcript, terms)
                or questions.spoken_answer(self._was, item_id, transcript) is not None
            ):
                return "transcript"
            case _:
                pass
        return ""

    def _words_in_doubt(self, event: events.Event) -> str:
        """A transcript that decides by being no words, such as "mm-hm"."""
        if self._was is None or self._was.terms.barge_in != "confirm":
            return ""
        match event:
            case events.ServerSaid(event=ConversationItemInputAudioTranscriptionCompleted(transcript=text)):
                return text.strip()
            case events.ServerSaid(event=ConversationItemInputAudioTranscriptionDelta(delta=str() as text)):
                return text.strip()
            case _:
                return ""

    def _keep(self, phrase: str) -> None:
        if phrase not in self.kept:
            self.kept.append(phrase)

    def _blotted(self, record: Happened, letter: str, keeps: str) -> bytes:
        match record.event:
            case events.Typed(text=text) if keeps:
                command, space, argument = text.strip().partition(" ")
                if letter and command.startswith("/"):
                    text = command + space + blot(argument, letter)
                return notation.event_body(events.Typed(text))
            case events.ServerSaid(event=event, frame=frame):
                parsed = notation.parse(frame.encode() if isinstance(frame, str) else frame)
                if isinstance(event, Unknown):
                    return _server(blot_unknown_event(parsed, letter))
                if isinstance(event, ResponseOutputAudioDelta):
                    keeps = "delta"
                parsed = blot_json(parsed, letter=letter, keep=keeps)
                return _server(self._silent(parsed, event, record.voice) if self._audio else parsed)
            case events.FrameUnreadable(frame=str() as frame):
                return b'"server_text":' + dumped(blot(frame, letter)) + b"}"
            case events.FrameUnreadable():
                return b'"server_bytes":"//8="}'  # what is no text stays none
            case event:
                return notation.event_body(blot_local(event, letter))

    def _body(self, event: events.Event, voice: Run | None) -> bytes:
        """As it was, but for the sound that stands in it."""
        match event:
            case events.ServerSaid(event=said, frame=frame):
                text = frame.encode() if isinstance(frame, str) else frame
                if b"udio" in text and (silent := self._silent(notation.parse(text), said, voice)):
                    return _server(silent)
                return b'"server":' + text + b"}" if b"\n" not in text else _server(notation.parse(text))
            case events.FrameUnreadable(frame=str() as frame):
                return b'"server_text":' + dumped(frame) + b"}"
            case events.FrameUnreadable(frame=bytes() as frame):
                return b'"server_bytes":"' + b64encode(frame) + b'"}'
            case _:
                return notation.event_body(event)

    def _silent(self, frame: Any, event: Any, voice: Run | None) -> Any:
        """The frame without the sound that stands in it as text. Its length counts in a delta alone."""
        frame = _without_audio(frame)
        if isinstance(event, ResponseOutputAudioDelta) and voice is None:
            frame["delta"] = b64encode_as_string(bytes(len(event.delta)))
        return frame

    def _decided(self, record: Happened, event: events.Event) -> bool:
        """Whether the same is done about the redacted event, which is what happens then."""
        if self._was is None or self._is is None:
            return True
        now_us = record.us - self._began_us
        was, before = step(self._was, now_us, record.event)
        is_, after = step(self._is, now_us, event)
        if not _alike(before, after):
            return False
        self._was, self._is, self._asked = was, is_, list(after)
        return True

    def _heard(self, record: Heard) -> None:
        if not self._text or self._was is None or self._is is None:
            return
        same = 0  # of so many samples a chunk changed nothing, and so the next one will not
        for at_us, samples in record.chunks:
            if samples == same:
                continue
            heard = events.MicHeard(reading.silence(samples))
            now_us = record.us + at_us - self._began_us
            was, before = step(self._was, now_us, heard)
            is_, after = step(self._is, now_us, heard)
            if not _alike(before, after):
                raise CannotRedact(record.line, "something else would be done here")
            same = samples if was is self._was and is_ is self._is else 0
            self._was, self._is, self._asked = was, is_, list(after)
        if record.appended:  # told by the line of the run
            self._asked = [e for e in self._asked if not (isinstance(e, Send) and e.samples)]

    def _asked_body(self, record: Asked) -> bytes:
        """What is asked for in its place; where nobody knows, the same without its words."""
        if not self._text:
            return record.body
        if self._asked:
            return notation.effect_body(self._asked.pop(0))
        parsed: dict[str, Any] = notation.parse(b"{" + record.body)
        if "client" in parsed:
            return b'"client":' + dumped(blot_json(parsed["client"])) + b"}"
        return dumped(blot_json(parsed))[1:]


def _obeyed(event: events.Event, *, whole: bool) -> str:
    """What is left of a command: all of it, or all but its argument."""
    match event:
        case events.Typed(text=text):
            return text.strip() if whole or not text.strip().startswith("/") else text.split()[0]
        case events.ServerSaid(event=ConversationItemInputAudioTranscriptionCompleted(transcript=text)):
            return text.strip()
        case _:
            return ""


def _event(body: bytes, voice: Run | None, number: int) -> events.Event:
    """What is read back from a line of what happened. Raises CannotRedact."""
    try:
        if body.startswith(b'"server":'):
            said = notation.read_frame(body[9:-1])
        else:
            fields = notation.parse(b"{" + body)
            if "server_text" in fields:
                return notation.read_frame(fields["server_text"])
            if "server_bytes" in fields:
                return notation.read_frame(b64decode(fields["server_bytes"]))
            return notation.read_event(fields)
    except notation.NotRead as bad:
        raise CannotRedact(number, bad.reason) from None
    match said:
        case events.ServerSaid(event=ResponseOutputAudioDelta() as delta) if voice is not None:
            return attrs.evolve(said, event=attrs.evolve(delta, delta=reading.silence(voice[1])))
        case _:
            return said


def _alike(before: tuple[Effect, ...], after: tuple[Effect, ...]) -> bool:
    """The same but for the words."""
    return before == after or [*map(_shape, before)] == [*map(_shape, after)]


def _shape(effect: Effect) -> object:
    """An effect without its words."""
    match effect:
        case Show(what=Notice(level=level)):  # it quotes, in words of ours that depend on what is quoted
            return level
        case Quit(outcome=outcome):
            return outcome
        case Show(what=what):
            return _blotted_fields(what)
        case Play():
            return effect.item_id, effect.samples
        case Send() if not effect.samples:
            return dumped(blot_json(notation.parse(notation.effect_body(effect)[9:-1])))
        case _:
            return _blotted_fields(effect)


def _blotted_fields(value: Any) -> tuple[object, ...]:
    fields = attrs.astuple(value, recurse=False)
    return (type(value), *(blot(field) if isinstance(field, str) else field for field in fields))


def _without_audio(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "" if key == "audio" and isinstance(each, str) else _without_audio(each)
            for key, each in value.items()
        }
    return [_without_audio(each) for each in value] if isinstance(value, list) else value


def _server(frame: Any) -> bytes:
    return b'"server":' + dumped(frame) + b"}"


def _line(us: int, body: bytes, voice: Run | None = None) -> bytes:
    run = b'"voice":[%d,%d],' % voice if voice else b""
    return b'{"us":%d,' % us + run + body


def _run_line(heard: Heard) -> bytes:
    appended = b"true" if heard.appended else b"false"
    run = b'"mic":[%d,%d],"chunks":[%b],"appended":%b}' % (*heard.run, heard.text, appended)
    return _line(heard.us, run)
