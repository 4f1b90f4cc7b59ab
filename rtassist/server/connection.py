"""One connected session: the engine in the middle, and the tasks around it that hear, think, speak, wait and
send."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import TypeVar, cast

import orjson
import trio
from attrs import evolve, field, frozen
from trio_websocket import ConnectionClosed, WebSocketConnection

from rtassist.protocol import (
    BadFrame,
    ClientEvent,
    InputAudioBufferAppend,
    ServerEvent,
    Unknown,
    decode_client,
    encode,
)
from rtassist.server.dressing import Dressing
from rtassist.server.engine import MAX_APPEND_BYTES, Engine
from rtassist.server.hearing import Ear, open_ear
from rtassist.server.outgoing import Outgoing
from rtassist.server.outside import (
    Abandon,
    Broke,
    Close,
    Listen,
    Listened,
    Malformed,
    NotTranscribed,
    Rang,
    Report,
    Request,
    SetAlarm,
    Speak,
    SpeechOver,
    Spoke,
    Think,
    Thought,
    ThoughtOver,
    Transcribe,
    Transcribed,
    TranscribeEnd,
    TranscribeMore,
)
from rtassist.server.parts import Ask, PartFailed, Recogniser, Synthesiser, Thinker, Transcript

T = TypeVar("T")

# 100 ms of PCM: what is listened to before other tasks have their turn. An append may hold minutes.
_SLICE_BYTES = 4800
_BYTES_PER_S = 48_000
# What a client may have in hand at once before the pace is held.
_HEAD_START_S = 1.0

_NO_RECOGNISER = PartFailed(
    "This server cannot hear words: no speech recognition is installed. Install it with: "
    "pip install 'rtassist[offline]', or name a transcription server in RTASSIST_STT_URL, or send text.",
    "stt_unavailable",
)
_NO_SYNTHESISER = PartFailed(
    "This server cannot speak: no speech synthesis is installed. Install it with: "
    "pip install 'rtassist[offline]', or name a speech server in RTASSIST_TTS_URL, or ask for text.",
    "tts_unavailable",
)


@frozen(kw_only=True)
class Parts:
    """What stands behind the engine, shared by all sessions. None: not there, and whoever needs it is told
    so. `open_ear` is called once in each session that detects turns."""

    thinker: Thinker
    recogniser: Recogniser | None = None
    synthesiser: Synthesiser | None = None
    open_ear: Callable[[], Ear] = open_ear
    now: Callable[[], datetime] = field(default=lambda: datetime.now().astimezone())
    """The user's local time, for the thinker."""


class Connection:
    """`run` returns when the session is over, whoever ended it; `finish` asks for the end."""

    def __init__(
        self,
        websocket: WebSocketConnection,
        stream: trio.abc.Stream,
        engine: Engine,
        parts: Parts,
        outgoing: Outgoing,
        *,
        dressing: Dressing,
        padding: Callable[[], str],
        faster_than_real_time: float,
        part_deadline_s: float,
    ) -> None:
        self._websocket = websocket
        self._stream = stream
        self._engine = engine
        self._parts = parts
        self._outgoing = outgoing
        self._dressing = dressing
        self._padding = padding
        self._faster = faster_than_real_time
        self._part_deadline_s = part_deadline_s
        self._ear: Ear | None = None
        self._scopes: defaultdict[str, set[trio.CancelScope]] = defaultdict(set)
        self._alarms: dict[str, trio.CancelScope] = {}
        self._utterances: dict[str, _Utterance] = {}
        self._due: dict[str, float] = {}
        self._reports: list[Report] = []

    async def run(self) -> None:
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._receive)
            self._perform(self._engine.open(_now_us()))
            await self._outgoing.run(self._websocket, self._stream)
            self._nursery.cancel_scope.cancel()

    def finish(self, close: Close) -> None:
        self._outgoing.finish(close)

    def abort(self) -> None:
        self._outgoing.abort()

    async def _receive(self) -> None:
        try:
            while True:
                await self._take(await self._websocket.get_message())
        except ConnectionClosed:
            self._nursery.cancel_scope.cancel()

    async def _take(self, frame: str | bytes) -> None:
        try:
            event = decode_client(frame)
        except BadFrame as bad:
            self._feed(Malformed(path=bad.path, reason=bad.reason, event_id=_event_id(frame)))
            return
        if not isinstance(event, InputAudioBufferAppend) or len(event.audio) > MAX_APPEND_BYTES:
            self._feed(event)
            return
        for start in range(0, max(len(event.audio), 1), _SLICE_BYTES):
            self._feed(evolve(event, audio=event.audio[start : start + _SLICE_BYTES]))
            await trio.lowlevel.checkpoint()

    def _feed(self, what: ClientEvent | Unknown | Report) -> None:
        """The one door to the engine. Nothing here waits, so inputs cannot interleave."""
        self._perform(self._engine.receive(what, _now_us()))
        while self._reports:
            self._perform(self._engine.receive(self._reports.pop(0), _now_us()))

    def _perform(self, outputs: list[ServerEvent | Request]) -> None:
        for output in outputs:
            match output:
                case Listen():
                    self._reports.append(Listened(probabilities=self._listen(output)))
                case Transcribe():
                    self._start_transcribing(output)
                case TranscribeMore(item_id=id, pcm=pcm):
                    self._utterances[id].chunks.send_nowait(pcm)
                case TranscribeEnd(item_id=id):
                    utterance = self._utterances.pop(id)
                    utterance.chunks.close()
                    utterance.over.set()
                    utterance.scope.deadline = trio.current_time() + self._part_deadline_s
                case Think():
                    self._nursery.start_soon(self._think, output)
                case Speak():
                    self._nursery.start_soon(self._speak, output)
                case Abandon(id=id):
                    self._utterances.pop(id, None)
                    self._due.pop(id, None)
                    for scope in self._scopes.pop(id, ()):
                        scope.cancel()
                case SetAlarm():
                    self._set_alarm(output)
                case Close():
                    self._outgoing.finish(output)
                case _:
                    dressed = self._dressing.dress(output, self._padding)
                    if dressed is not None:
                        self._outgoing.put(encode(dressed))

    def _listen(self, request: Listen) -> tuple[float, ...]:
        if self._ear is None:
            self._ear = self._parts.open_ear()
        elif request.afresh:
            self._ear.restart()
        return self._ear.hear(request.pcm)

    def _set_alarm(self, alarm: SetAlarm) -> None:
        if alarm.name in self._alarms:
            self._alarms.pop(alarm.name).cancel()
        if alarm.at_us is not None:
            self._alarms[alarm.name] = trio.CancelScope()
            self._nursery.start_soon(self._ring, alarm.name, alarm.at_us / 1e6, self._alarms[alarm.name])

    async def _ring(self, name: str, at_s: float, scope: trio.CancelScope) -> None:
        with scope:
            await trio.sleep_until(at_s)
            del self._alarms[name]
            self._feed(Rang(name=name))

    @contextmanager
    def _abandonable(self, id: str, scope: trio.CancelScope) -> Iterator[None]:
        self._scopes[id].add(scope)
        try:
            with scope:
                yield
        finally:
            scopes = self._scopes.get(id, set())
            scopes.discard(scope)
            if not scopes:
                self._scopes.pop(id, None)

    def _start_transcribing(self, request: Transcribe) -> None:
        # Bounded by the session's input buffer, of which these are copies.
        send, receive = trio.open_memory_channel[bytes](math.inf)
        utterance = _Utterance(chunks=send, scope=trio.CancelScope(), over=trio.Event())
        self._utterances[request.item_id] = utterance
        self._nursery.start_soon(self._transcribe, request, receive, utterance)

    async def _transcribe(
        self, request: Transcribe, chunks: trio.MemoryReceiveChannel[bytes], utterance: _Utterance
    ) -> None:
        report: Transcribed | NotTranscribed
        with chunks, self._abandonable(request.item_id, utterance.scope):
            try:
                transcript = await self._recognised(chunks, request.language)
                report = Transcribed(item_id=request.item_id, transcript=transcript)
            except PartFailed as failed:
                report = NotTranscribed(item_id=request.item_id, message=failed.message, code=failed.code)
            # It may know, or give up, before the user is done.
            await utterance.over.wait()
            self._feed(report)
        if utterance.scope.cancelled_caught:
            # Too late, or abandoned; of the latter the engine does not want to know.
            late = self._too_late("Speech recognition")
            self._feed(NotTranscribed(item_id=request.item_id, message=late.message, code=late.code))

    async def _recognised(self, chunks: trio.MemoryReceiveChannel[bytes], language: str | None) -> Transcript:
        if self._parts.recogniser is None:
            raise _NO_RECOGNISER
        with _as_failures("Speech recognition"):
            return await self._parts.recogniser.transcribe(chunks, language=language)

    async def _think(self, request: Think) -> None:
        id = request.response_id
        ask = Ask(
            items=request.items,
            instructions=request.instructions,
            tools=request.tools,
            tool_choice=request.tool_choice,
            now=self._parts.now(),
            understood=request.understood,
        )
        with self._abandonable(id, trio.CancelScope()):
            try:
                async with _closing(self._parts.thinker.answer(ask)) as pieces:
                    while (piece := await self._next(pieces, "The answer")) is not None:
                        self._feed(Thought(response_id=id, piece=piece))
                        await trio.lowlevel.checkpoint()
            except PartFailed as failed:
                self._feed(Broke(response_id=id, message=failed.message, code=failed.code))
            else:
                self._feed(ThoughtOver(response_id=id))

    async def _speak(self, request: Speak) -> None:
        id = request.response_id
        with self._abandonable(id, trio.CancelScope()):
            try:
                if self._parts.synthesiser is None:
                    raise _NO_SYNTHESISER
                speech = self._parts.synthesiser.speak(request.text, voice=request.voice, speed=request.speed)
                async with _closing(speech) as chunks:
                    while (pcm := await self._next(chunks, "Speech synthesis")) is not None:
                        for start in range(0, len(pcm), _SLICE_BYTES):
                            piece = pcm[start : start + _SLICE_BYTES]
                            self._feed(Spoke(response_id=id, pcm=piece))
                            await self._pace(id, len(piece))
            except PartFailed as failed:
                self._feed(Broke(response_id=id, message=failed.message, code=failed.code))
            else:
                self._feed(SpeechOver(response_id=id))

    async def _pace(self, response_id: str, sent_bytes: int) -> None:
        """Wait as long as the client has more of a response's sound in hand than it should."""
        await self._outgoing.room()
        earliest = trio.current_time() - _HEAD_START_S / self._faster
        due = max(self._due.get(response_id, earliest), earliest) + sent_bytes / _BYTES_PER_S / self._faster
        self._due[response_id] = due
        await trio.sleep_until(due)

    async def _next(self, pieces: AsyncGenerator[T], what: str) -> T | None:
        with trio.move_on_after(self._part_deadline_s), _as_failures(what):
            return await anext(pieces, None)
        raise self._too_late(what)

    def _too_late(self, what: str) -> PartFailed:
        return PartFailed(f"{what} did not come within {self._part_deadline_s:g} s.", "timeout")


@frozen(kw_only=True)
class _Utterance:
    chunks: trio.MemorySendChannel[bytes]
    scope: trio.CancelScope
    over: trio.Event


@contextmanager
def _as_failures(what: str) -> Iterator[None]:
    """A part that breaks in a way of its own ends what it did, and not the session; the client is told."""
    try:
        yield
    except PartFailed:
        raise
    except Exception as error:
        raise PartFailed(f"{what} failed inside the server: {error!r}.", "internal_error") from error


@asynccontextmanager
async def _closing(pieces: AsyncIterator[T]) -> AsyncIterator[AsyncGenerator[T]]:
    """Parts give generators, which have to be closed by whoever stops asking."""
    generator = cast("AsyncGenerator[T]", pieces)
    try:
        yield generator
    finally:
        await generator.aclose()


def _now_us() -> int:
    return int(trio.current_time() * 1_000_000)


def _event_id(frame: str | bytes) -> str | None:
    """Of a frame that is no event: perhaps it names itself all the same."""
    try:
        id = orjson.loads(frame)["event_id"]
    except (ValueError, TypeError, KeyError):
        return None
    return id if isinstance(id, str) else None
