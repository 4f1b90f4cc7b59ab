"""Sound as a client sends and wants it, from and to PCM16 at 24 kHz: `audio/pcm`, and G.711 at 8 kHz."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 24_000
G711_RATE = 8_000
FORMATS = ("audio/pcm", "audio/pcmu", "audio/pcma")


class Inward:
    """A client's stream of one format to PCM16 at 24 kHz. Half a sample at the end of an append waits for its
    other half; the resampler holds back a few milliseconds."""

    def __init__(self, format: str) -> None:
        self._table: NDArray[np.int16] | None = None
        if format != "audio/pcm":
            self._table = _decoding(format)
            self._resampler = soxr.ResampleStream(G711_RATE, RATE, 1, dtype="int16")
        self._half = b""

    def convert(self, audio: bytes) -> bytes:
        if self._table is not None:
            return _pcm(self._resampler.resample_chunk(self._table[np.frombuffer(audio, np.uint8)]))
        audio = self._half + audio
        whole = len(audio) - len(audio) % 2
        self._half = audio[whole:]
        return audio[:whole]


class Outward:
    """PCM16 at 24 kHz to a client's format. One for each item: its end brings out what the resampler held
    back."""

    def __init__(self, format: str) -> None:
        self._table: NDArray[np.uint8] | None = None
        if format != "audio/pcm":
            self._table = _encoding(format)
            self._resampler = soxr.ResampleStream(RATE, G711_RATE, 1, dtype="int16")

    def convert(self, pcm: bytes, *, last: bool = False) -> bytes:
        if self._table is None:
            return pcm
        samples = self._resampler.resample_chunk(np.frombuffer(pcm, "<i2"), last=last)
        return bytes(self._table[samples.view(np.uint16)].tobytes())


def encoded(pcm: bytes, format: str) -> bytes:
    """A whole piece of PCM16 at 24 kHz in one go."""
    return Outward(format).convert(pcm, last=True)


def decoded(audio: bytes, format: str) -> bytes:
    """The other way: all of a client's audio, as PCM16 at 24 kHz. Half a sample at the end is dropped."""
    if format == "audio/pcm":
        return audio[: len(audio) - len(audio) % 2]
    samples = _decoding(format)[np.frombuffer(audio, np.uint8)]
    return _pcm(soxr.resample(samples, G711_RATE, RATE))


def _pcm(samples: NDArray[np.int16]) -> bytes:
    return samples.astype("<i2").tobytes()


@cache
def _decoding(format: str) -> NDArray[np.int16]:
    """ITU-T G.711: the sample for each of the 256 codes."""
    codes = np.arange(256, dtype=np.int32)
    return (_mu_law(codes) if format == "audio/pcmu" else _a_law(codes)).astype(np.int16)


def _mu_law(codes: NDArray[Any]) -> NDArray[Any]:
    codes = ~codes & 0xFF
    magnitude = (((codes & 0x0F) << 3) + 0x84 << (codes >> 4 & 7)) - 0x84
    samples: NDArray[Any] = np.where(codes & 0x80, -magnitude, magnitude)
    return samples


def _a_law(codes: NDArray[Any]) -> NDArray[Any]:
    codes = codes ^ 0x55
    exponent = codes >> 4 & 7
    mantissa = ((codes & 0x0F) << 4) + np.where(exponent == 0, 8, 0x108)
    magnitude = mantissa << np.maximum(exponent - 1, 0)
    samples: NDArray[Any] = np.where(codes & 0x80, magnitude, -magnitude)
    return samples


@cache
def _encoding(format: str) -> NDArray[np.uint8]:
    """For each 16-bit sample (as an unsigned index) the code whose sample is nearest."""
    decoding = _decoding(format).astype(np.int32)
    by_level = np.argsort(decoding, kind="stable")
    levels = decoding[by_level]
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    above = np.clip(np.searchsorted(levels, samples), 1, 255)
    nearer_below = samples - levels[above - 1] <= levels[above] - samples
    nearest: NDArray[np.uint8] = by_level[np.where(nearer_below, above - 1, above)].astype(np.uint8)
    return nearest
