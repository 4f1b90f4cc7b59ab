"""The input audio buffer, and the user's turns in it: found by voice activity, or ended by the client's
commit."""

from __future__ import annotations

from attrs import frozen

from rtassist.protocol import (
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    SemanticVad,
    ServerVad,
)
from rtassist.server.formats import Inward
from rtassist.server.hearing import SpeechStarted, SpeechStopped, TurnDetector, listening
from rtassist.server.history import SAMPLES_PER_MS
from rtassist.server.outside import (
    Abandon,
    Listen,
    Outbox,
    Refused,
    Transcribe,
    TranscribeEnd,
    TranscribeMore,
)

MIN_COMMIT_MS = 100
# While nobody speaks, sound is kept for the prefix padding and for the longest idle timeout (30 s).
_SILENCE_KEPT_MS = 35_000


@frozen(kw_only=True)
class Utterance:
    """What was taken out of the buffer: PCM16 at 24 kHz."""

    item_id: str
    pcm: bytes


class InputAudio:
    """Positions are samples since the session began. Past `max_ms` of sound the oldest is dropped."""

    def __init__(self, outbox: Outbox, *, format: str, max_ms: int) -> None:
        self._outbox = outbox
        self._max_samples = max_ms * SAMPLES_PER_MS
        self._format = format
        self._inward = Inward(format)
        self._pcm = bytearray()
        self._begin = 0
        self._detector: TurnDetector | None = None
        self._afresh = True
        self._language: str | None = None
        self._utterance_id: str | None = None
        self._streamed = 0

    @property
    def written_ms(self) -> int:
        return self._end // SAMPLES_PER_MS

    @property
    def speaking(self) -> bool:
        return self._detector is not None and self._detector.speaking

    @property
    def _end(self) -> int:
        return self._begin + len(self._pcm) // 2

    def set_up(self, *, format: str, language: str | None, detection: ServerVad | SemanticVad | None) -> None:
        """What `session.update` may change about listening."""
        if format != self._format:
            self._format, self._inward = format, Inward(format)
        self._language = language
        if detection is None:
            self._detector = None
        elif self._detector is None:
            # What the client began to say by hand stays in the buffer; which part of it is a turn is found
            # anew.
            self._abandon()
            self._detector = TurnDetector(listening(detection), at_ms=self.written_ms)
            self._afresh = True
        else:
            self._detector.listening = listening(detection)

    def append(self, audio: bytes) -> None:
        pcm = self._inward.convert(audio)
        if not pcm:
            return
        self._pcm += pcm
        if self._detector is not None:
            self._outbox.ask(Listen(pcm=pcm, afresh=self._afresh))
            self._afresh = False
        else:
            if self._utterance_id is None:
                self._open(self._begin)
            self._stream(self._end)
        self._forget_oldest()

    def frame(self, probability: float) -> SpeechStarted | SpeechStopped | None:
        """One frame of the sound that was listened to. A turn that starts or stops has been announced when
        this returns; one that stopped is still to be taken."""
        if self._detector is None:
            return None
        turn = self._detector.frame(probability)
        match turn:
            case SpeechStarted(start_ms=start_ms):
                id = self._open(start_ms * SAMPLES_PER_MS)
                self._outbox.say(InputAudioBufferSpeechStarted(audio_start_ms=start_ms, item_id=id))
            case SpeechStopped(end_ms=end_ms):
                assert self._utterance_id is not None
                self._stream(end_ms * SAMPLES_PER_MS)
                self._outbox.say(
                    InputAudioBufferSpeechStopped(audio_end_ms=end_ms, item_id=self._utterance_id)
                )
        if self.speaking:
            self._stream(self._detector.heard_ms * SAMPLES_PER_MS)
        return turn

    def take_turn(self, stopped: SpeechStopped) -> Utterance:
        return self._take(stopped.end_ms * SAMPLES_PER_MS)

    def commit(self) -> Utterance:
        """All that is in the buffer. Raises Refused for less than 100 ms."""
        ms = len(self._pcm) / 2 / SAMPLES_PER_MS
        if ms < MIN_COMMIT_MS:
            raise Refused(
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{MIN_COMMIT_MS}ms of audio, but buffer only has {ms:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        if self._utterance_id is None:
            self._open(self._begin)
        self._stream(self._end)
        if self._detector is not None:
            self._detector.cut(self.written_ms)
        return self._take(self._end)

    def silence(self, ms: int) -> tuple[int, int, Utterance]:
        """The last `ms` milliseconds, in which nobody spoke: where they begin, where they end, and they
        themselves."""
        begin = max(self._end - ms * SAMPLES_PER_MS, self._begin)
        pcm = bytes(self._pcm[(begin - self._begin) * 2 :])
        self._drop(self._end)
        if self._detector is not None:
            self._detector.cut(self.written_ms)
        utterance = Utterance(item_id=self._outbox.new_id("item"), pcm=pcm)
        return begin // SAMPLES_PER_MS, self.written_ms, utterance

    def clear(self) -> None:
        self._abandon()
        self._drop(self._end)
        if self._detector is not None:
            self._detector.cut(self.written_ms)

    def _abandon(self) -> None:
        if self._utterance_id is not None:
            self._outbox.ask(Abandon(id=self._utterance_id))
            self._utterance_id = None

    def _open(self, begin: int) -> str:
        """Start an utterance at a position; what came before it is no part of any."""
        self._drop(begin)
        self._utterance_id = self._outbox.new_id("item")
        self._streamed = self._begin
        self._outbox.ask(Transcribe(item_id=self._utterance_id, language=self._language))
        return self._utterance_id

    def _stream(self, until: int) -> None:
        """Hand the recogniser what it has not had yet."""
        assert self._utterance_id is not None
        pcm = bytes(self._pcm[max(self._streamed - self._begin, 0) * 2 : (until - self._begin) * 2])
        if pcm:
            self._outbox.ask(TranscribeMore(item_id=self._utterance_id, pcm=pcm))
            self._streamed = until

    def _take(self, until: int) -> Utterance:
        assert self._utterance_id is not None
        utterance = Utterance(item_id=self._utterance_id, pcm=bytes(self._pcm[: (until - self._begin) * 2]))
        self._outbox.ask(TranscribeEnd(item_id=self._utterance_id))
        self._utterance_id = None
        self._drop(until)
        return utterance

    def _drop(self, until: int) -> None:
        if until > self._begin:
            del self._pcm[: (until - self._begin) * 2]
            self._begin = until

    def _forget_oldest(self) -> None:
        idle = self._detector is not None and self._utterance_id is None
        limit = min(_SILENCE_KEPT_MS * SAMPLES_PER_MS, self._max_samples) if idle else self._max_samples
        # A burst that was appended but not listened to yet stays whole.
        heard = self._detector.heard_ms * SAMPLES_PER_MS if self._detector is not None else self._end
        self._drop(min(self._end - limit, heard))
