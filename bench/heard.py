"""What left a loudspeaker, told apart by voices. Pure."""

from __future__ import annotations

import base64
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from bench.scenarios import LOWEST, MS, PERIOD

FADED: Final = 72
"""So many samples beside silence may be fainter than they were sent: a fade of 3 ms."""


@frozen(kw_only=True)
class Heard:
    """`voices`: of each sample that left the device, which voice it belongs to; -1 is silence."""

    began_s: float
    rate: float
    samples: NDArray[np.int16]
    voices: NDArray[np.int8]

    def ms(self, voice: int) -> float:
        """How much of a voice left the device."""
        return int(np.count_nonzero(self.voices == voice)) / MS

    def count(self, voice: int) -> int:
        return int(np.count_nonzero(self.voices == voice))

    def began(self) -> float | None:
        """When the first sample of any voice left (CLOCK_MONOTONIC, s); None: none did."""
        return self._at(0, 0)

    def ended(self) -> float | None:
        """When the last one had left."""
        return self._at(-1, 1)

    def steady(self) -> bool:
        """Whether within each voice every sample came once and in its order, silence and fades apart."""
        for voice in set(self.voices.tolist()) - {-1}:
            places = np.flatnonzero(self.voices == voice)
            step = np.ediff1d(self.samples[places].astype(np.int64))
            lost = (step != 1) & (step != 1 - PERIOD)
            gaps = np.flatnonzero(np.diff(self.voices == voice, prepend=False, append=False))
            faded = np.abs(places[:-1, None] - gaps).min(axis=1) <= FADED + 1
            if np.any(lost & ~faded):
                return False
        return True

    def _at(self, which: int, after: int) -> float | None:
        sounding = np.flatnonzero(self.voices >= 0)
        return self.began_s + (int(sounding[which]) + after) / self.rate if len(sounding) else None


def heard(report: dict[str, Any]) -> Heard:
    """From a device's report."""
    samples = np.frombuffer(base64.b64decode(report["left"]), "<i2")
    return Heard(began_s=report["began_s"], rate=report["rate"], samples=samples, voices=voices_of(samples))


def voices_of(samples: NDArray[np.int16]) -> NDArray[np.int8]:
    """Beside silence a sample may be faded, and belongs to the voice of those behind its fade."""
    voices = np.full(len(samples), -1, np.int8)
    sounding = np.flatnonzero(samples)
    if not len(sounding):
        return voices
    for run in np.split(sounding, np.flatnonzero(np.diff(sounding) > 1) + 1):
        levels = np.maximum(0, (samples[run].astype(np.int32) - LOWEST) // PERIOD)
        fade = min(FADED, (len(run) - 1) // 2)
        levels[:fade] = levels[fade]
        levels[len(run) - fade :] = levels[len(run) - fade - 1]
        voices[run] = levels
    return voices
