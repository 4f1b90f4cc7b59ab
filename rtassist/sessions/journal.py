"""The format of a recording, and the writing of its lines.

A recording `NAME.jsonl` is UTF-8 text, one JSON object a line, each ended by a line feed. Every line but
the first begins with `"us"`, integer microseconds since the recording began, which never decrease; then,
where the line is about received audio, the run of samples; then the key that says what the line is. A line
that is not ended by a line feed was being written when the program died: it counts for nothing.

    {"format":"rtassist session","version":1,…}              the first line: see `header`
    {"us":0,"begin":{"session":{…},"terms":{…}}}             a conversation begins, over a link that stands.
                                                             Its clock, and `at_us` of alarms, start here

What happened, in the order in which it was decided:

    {"us":…,"server":{…}}                                    a frame of the server, byte for byte
    {"us":…,"voice":[FIRST,SAMPLES],"server":{…}}            one with audio: its base64 (the `delta`, which is
                                                             "" here) stands in NAME.voice.flac
    {"us":…,"server_text":"…"}                               one that is no JSON object on one line
    {"us":…,"server_bytes":"…"}                              one that is no text: base64
    {"us":…,"mic":[FIRST,SAMPLES],"chunks":[[0,480],[20011,480]],"appended":true}
                                                             chunks of the microphone, as µs after `us` and
                                                             samples; together this run of NAME.mic.flac.
                                                             `appended`: the one effect of each was to send it
                                                             (for times below zero see below)
    {"us":…,"event":"typed","text":"…"}                      everything else, by the classes of
                                                             `rtassist.dialogue.events`: playback_ended
                                                             (item_id, heard: samples), tool_ended, …

What was asked for then, by the classes of `rtassist.dialogue.effects`, right behind its cause:

    {"us":…,"client":{…}}                                    an event that was sent, byte for byte
    {"us":…,"effect":"append","samples":480}                 microphone audio that was sent, outside a run
    {"us":…,"voice":[FIRST,SAMPLES],"effect":"play","item_id":"…","samples":4800}
                                                             handed to the loudspeaker
    {"us":…,"effect":"hush","item_id":"…"}                   and so on: finish, set_alarm, said, quit, …

A chunk of the microphone means nothing to what else comes many times a second, nor that to it: deltas of
audio and of its words, and playback_advanced (`rtassist.dialogue.step.FREQUENT`). So a run goes on past lines
of these and of what was asked for then, for a second at most, and stands behind them; otherwise a third
of all lines would be runs. `us` is never less than in the line before it, so that chunks which were heard
earlier have times below zero: `[[-20310,480],[-299,480],[19702,480]]`. All else ends a run.

And about the recording itself:

    {"us":…,"gap":{"lines":12}}                              the disk was full or too slow: so many lines are
                                                             missing here, the last of them of this time
    {"us":…,"end":{"mic_samples":…,"voice_samples":…}}       it was closed in order; nothing follows

Sound is mono, 24 kHz, 16 bits. `mic` is all that the microphone heard in one piece; `voice` what the server
sent, in the order in which it came, whether or not it was heard: that is in the playback reports. Without the
two files a recording replays just the same, for decisions depend on lengths alone. A file is there once it
has a sample. Until it is closed, and for good when the program was killed, its header gives the number of
samples as unknown (0), which FLAC allows, and up to 4095 of the last ones are missing; a run may name more
than there are. What could not be written is silence, so that the numbers of all later samples hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Final

import orjson
from pybase64 import b64encode, b64encode_as_string

from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Play, Send
from rtassist.dialogue.step import is_frequent
from rtassist.dialogue.terms import Terms
from rtassist.protocol import ResponseOutputAudioDelta
from rtassist.protocol.catalogue import CLIENT, SERVER, VARIANTS
from rtassist.sessions import notation
from rtassist.sessions.blotting import KNOWN

FORMAT: Final = "rtassist session"
VERSION: Final = 1
RUN_US: Final = 1_000_000
"""The longest run of the microphone in one line: what a crash may cost."""

Note = events.Event | Effect

LEAST_SECRET: Final = 6
"""Bytes. What is shorter guards nothing, such as the `x` or `none` that servers without keys are given, and
is a part of too many words. Neither does a word of this format or of the protocol guard anything, nor a part
of one, such as the `realtime` of `wss://host/v1?type=realtime`: without it no line could be read."""

_WORDS: Final = "\n".join(
    [
        *(FORMAT, "version", "begin", "session", "terms", "server_text", "server_bytes", "client", "effect"),
        *(
            "voice",
            "chunks",
            "appended",
            "lines",
            "mic_samples",
            "voice_samples",
            "user",
            "assistant",
            "system",
        ),
        *("cancelled", "incomplete", *notation.WORDS, *KNOWN, *SERVER, *CLIENT),
        *(tag for variants in VARIANTS for tag in variants.classes),
    ]
)

_KEY: Final = re.compile(rb"(sk-|ek_)(?=[A-Za-z_-]*[0-9])([A-Za-z0-9_-]{16,})")
"""What a key or client secret of OpenAI looks like, wherever it stands."""


def blotted(line: bytes, secrets: Sequence[bytes] = ()) -> bytes:
    """The line without `secrets` and what looks like a key: letters become x and digits 0, so that nothing
    that is decided by the length of a text changes.
    """
    for secret in secrets:
        if secret in line:
            line = _without(secret, line)
    if b"sk-" in line or b"ek_" in line:
        line = _KEY.sub(lambda key: key[1] + _blot(key[2]), line)
    return line


_TEXT: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def _without(secret: bytes, line: bytes) -> bytes:
    blot = _blot(secret)
    if secret.isdigit():  # as times and samples are, which stand outside of texts
        return _TEXT.sub(lambda text: text[0].replace(secret, blot), line)
    return line.replace(secret, blot)


def _blot(secret: bytes) -> bytes:
    return re.sub(rb"[A-Za-z]", b"x", re.sub(rb"[0-9]", b"0", secret))


def gap_line(us: int, lines: int) -> bytes:
    """The line for so many that could not be written; `us`: of the last of them."""
    return b'{"us":%d,"gap":{"lines":%d}}\n' % (us, lines)


class Journal:
    """Turns what passes the door into the lines of a recording, as it passes.

    `line` gets each line with its line feed, `mic` and `voice` the samples (PCM16) in their order; all three
    are called at once and must not wait. `secrets` are blotted out wherever they appear, but for those
    that guard nothing: see LEAST_SECRET.
    """

    def __init__(
        self,
        *,
        line: Callable[[bytes], None],
        mic: Callable[[bytes], None],
        voice: Callable[[bytes], None],
        secrets: Sequence[str] = (),
    ) -> None:
        self._line, self._mic, self._voice = line, mic, voice
        as_json = [json.dumps(secret)[1:-1] for secret in secrets]
        twice = [json.dumps(form)[1:-1] for form in as_json]  # the arguments of a function are JSON in JSON
        guarding = {
            form for form in (*secrets, *as_json, *twice) if len(form) >= LEAST_SECRET and form not in _WORDS
        }
        forms = (form.encode() for form in guarding)
        self._secrets = tuple(sorted(forms, key=len, reverse=True))  # one may be a part of another
        self._began_us = self._latest_us = self._line_us = 0
        self._mic_samples = self._voice_samples = 0
        self._run: list[
            tuple[int, int]
        ] = []  # chunks of the microphone, alike in `_run_appended`: (µs, samples)
        self._run_appended = False
        self._passing = False  # a run goes on past what happens now, and past its effects
        self._last: tuple[int, int, bool] | None = None  # the chunk that the next note may belong to
        self._received: tuple[bytes, int] = (b"", 0)  # the audio that came last, and where it stands

    def header(self, **about: object) -> None:
        """The first line: `id`, `started` (UTC, ISO 8601), `program` (its version), and what else matters."""
        first = {"format": FORMAT, "version": VERSION, **about}
        try:
            self._write(orjson.dumps(first))
        except TypeError:  # a lone surrogate, as in the name of a file that is no UTF-8
            self._write(json.dumps(first, separators=(",", ":")).encode())

    def begin(self, us: int, terms: Terms) -> None:
        """A conversation begins; the times of its notes count from here, or from the note before."""
        self._end_run()
        self._began_us = self._latest_us = max(us, self._latest_us)
        self._put(self._began_us, notation.terms_body(terms))

    def note(self, now_us: int, what: Note) -> None:
        """An event before it is decided, or one of its effects; `now_us` since `begin`."""
        us = self._latest_us = self._began_us + now_us
        if isinstance(what, events.MicHeard):
            self._end_chunk()
            self._passing = False
            self._last = (us, what.samples, False)
            self._mic(what.pcm)
            return
        if self._last is not None and isinstance(what, Send):
            at_us, samples, appended = self._last
            if samples and what.samples == samples and not appended:
                self._last = (at_us, samples, True)
                return
        self._pass(us, what)
        if isinstance(what, events.ServerSaid | events.FrameUnreadable):
            self._received_frame(us, what)
        elif isinstance(what, Play):
            self._put(us, notation.effect_body(what), voice=self._run_of(what.pcm))
        elif isinstance(what, events.LocalEvent):
            self._put(us, notation.event_body(what))
        else:
            self._put(us, notation.effect_body(what))

    def end(self, us: int) -> None:
        self._end_run()
        samples = (self._mic_samples, self._voice_samples)
        self._put(max(us, self._latest_us), b'"end":{"mic_samples":%d,"voice_samples":%d}}' % samples)

    def _pass(self, us: int, what: Note) -> None:
        """The run goes on past this, or ends before it."""
        if isinstance(what, events.ServerSaid | events.LocalEvent):
            self._end_chunk()
            self._passing = bool(self._run) and us - self._run[0][0] < RUN_US and is_frequent(what)
        if not self._passing:
            self._end_run()

    def _end_chunk(self) -> None:
        """The last chunk has all its effects: it goes on with the run, or begins one."""
        if self._last is None:
            return
        us, samples, appended = self._last
        self._last = None
        if self._run and (appended != self._run_appended or us - self._run[0][0] >= RUN_US):
            self._write_run()
        self._run.append((us, samples))
        self._run_appended = appended

    def _end_run(self) -> None:
        self._end_chunk()
        if self._run:
            self._write_run()

    def _write_run(self) -> None:
        us = max(self._run[0][0], self._line_us)
        samples = sum(samples for _, samples in self._run)
        chunks = ",".join(f"[{at_us - us},{samples}]" for at_us, samples in self._run)
        appended = "true" if self._run_appended else "false"
        body = f'"mic":[{self._mic_samples},{samples}],"chunks":[{chunks}],"appended":{appended}}}'
        self._put(us, body.encode())
        self._mic_samples += samples
        self._run = []

    def _received_frame(self, us: int, said: events.ServerSaid | events.FrameUnreadable) -> None:
        try:
            text = said.frame if isinstance(said.frame, str) else said.frame.decode()
        except UnicodeDecodeError:
            assert isinstance(said.frame, bytes)
            self._put(us, b'"server_bytes":"%b"}' % b64encode(said.frame))
            return
        if isinstance(said, events.FrameUnreadable) or "\n" in text:
            self._put(us, b'"server_text":' + json.dumps(text).encode() + b"}")
            return
        run = None
        if isinstance(said.event, ResponseOutputAudioDelta):
            pcm = said.event.delta
            payload = b64encode_as_string(pcm)
            if pcm and len(pcm) % 2 == 0 and text.count(payload) == 1:
                text = text.replace(payload, "")
                run = self._run_of(pcm)
        self._put(us, b'"server":' + text.encode() + b"}", voice=run)

    def _run_of(self, pcm: bytes) -> tuple[int, int]:
        """Where this audio stands: as the audio that came last, or behind it."""
        received, first = self._received
        if pcm != received:
            first = self._voice_samples
            self._received = (pcm, first)
            self._voice_samples += len(pcm) // 2
            self._voice(pcm)
        return first, len(pcm) // 2

    def _put(self, us: int, body: bytes, voice: tuple[int, int] | None = None) -> None:
        run = b'"voice":[%d,%d],' % voice if voice else b""
        self._line_us = us
        self._write(b'{"us":%d,' % us + run + body)

    def _write(self, line: bytes) -> None:
        self._line(blotted(line, self._secrets) + b"\n")
