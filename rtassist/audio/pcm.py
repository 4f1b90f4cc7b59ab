"""PCM16 bytes and float samples, milliseconds, gain, fades, levels, resampling. Pure."""

import math

import numpy as np
import soxr
from attrs import frozen
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE

Samples = NDArray[np.float32]
"""Mono samples, full scale ±1.0."""

BYTES_PER_SAMPLE = 2
SAMPLES_PER_MS = SAMPLE_RATE // 1000
FLOOR_DBFS = -96.0
"""What counts as silence: below half a step of 16 bits."""


def samples_in(pcm: bytes) -> int:
    return len(pcm) // BYTES_PER_SAMPLE


def samples_in_ms(duration_ms: int) -> int:
    return duration_ms * SAMPLES_PER_MS


def whole_ms(samples: int) -> int:
    """Milliseconds that `samples` fill completely, at 24 kHz."""
    return samples // SAMPLES_PER_MS


def silence(samples: int) -> bytes:
    return bytes(samples * BYTES_PER_SAMPLE)


def to_float(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def to_pcm16(samples: Samples) -> bytes:
    """Round to PCM16; what is louder than full scale is clipped. `to_pcm16(to_float(pcm)) == pcm`."""
    scaled = np.rint(samples * np.float32(32768))
    pcm: bytes = np.clip(scaled, -32768, 32767).astype("<i2").tobytes()
    return pcm


def to_mono(frames: NDArray[np.float32]) -> Samples:
    """The mean of all channels. `frames`: frames × channels, or mono already."""
    if frames.ndim == 1:
        return frames
    if frames.shape[1] == 1:
        return frames[:, 0]
    mixed: Samples = frames.mean(axis=1, dtype=np.float32)
    return mixed


def gain(pcm: bytes, gain_db: float) -> bytes:
    return to_pcm16(to_float(pcm) * np.float32(10 ** (gain_db / 20)))


def fade_in(samples: Samples, over: int) -> Samples:
    """A copy that rises linearly from nothing during its first `over` samples."""
    faded = samples.copy()
    n = min(over, len(samples))
    faded[:n] *= (np.arange(n, dtype=np.float32) + 1) / np.float32(over + 1)
    return faded


def fade_out(samples: Samples, over: int) -> Samples:
    """A copy that falls linearly to nothing during its last `over` samples."""
    return fade_in(samples[::-1], over)[::-1]


@frozen(kw_only=True)
class Level:
    """How loud some sound was, in dB below full scale (a full-scale square wave has 0 dBFS RMS)."""

    rms_dbfs: float
    peak_dbfs: float


def level(pcm: bytes) -> Level:
    if not pcm:
        return Level(rms_dbfs=FLOOR_DBFS, peak_dbfs=FLOOR_DBFS)
    samples = to_float(pcm)
    return Level(
        rms_dbfs=_dbfs(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))),
        peak_dbfs=_dbfs(float(np.max(np.abs(samples)))),
    )


def _dbfs(amplitude: float) -> float:
    return max(FLOOR_DBFS, 20 * math.log10(amplitude)) if amplitude > 0 else FLOOR_DBFS


class Resampler:
    """Mono sound from one rate to another, in pieces of any size, with soxr's high quality.

    Aliases are 140 dB down and nothing is shifted in time; the last samples of a piece come out
    with the next piece, or with `finish`.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32") if from_hz != to_hz else None

    def push(self, samples: Samples) -> Samples:
        return samples if self._stream is None else self._resample(samples, last=False)

    def finish(self) -> Samples:
        """What is still inside. Nothing may be pushed afterwards."""
        empty = np.zeros(0, dtype=np.float32)
        return empty if self._stream is None else self._resample(empty, last=True)

    def _resample(self, samples: Samples, *, last: bool) -> Samples:
        assert self._stream is not None
        resampled: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples), last=last)
        return resampled


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """A whole piece of mono sound at another rate."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(samples), resampler.finish()])
