"""The gain of a stream of samples, which never jumps. Pure."""

import numpy as np

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.pcm import Samples, to_float, to_pcm16

RAMP_SAMPLES = SAMPLE_RATE * 5 // 1000
"""From silence to full level, and back; 12 dB take 4 ms."""


class Gain:
    """`target`: what the gain moves to, by a straight line."""

    def __init__(self) -> None:
        self.target = 1.0
        self._last = 1.0

    def over(self, count: int) -> Samples:
        """The gains of the next `count` samples."""
        steps: Samples = np.arange(1, count + 1, dtype=np.float32) / np.float32(RAMP_SAMPLES)
        low, high = sorted((self._last, self.target))
        gains: Samples = np.clip(low + steps if low == self._last else high - steps, low, high)
        self._last = float(gains[-1]) if count else self._last
        return gains

    def goes_on_from(self, gain: float) -> None:
        """The sample before the next one has this gain."""
        self._last = gain

    def of(self, pcm: bytes) -> bytes:
        """The next samples, as PCM16; untouched while the gain is 1."""
        if self.target == self._last == 1.0:
            return pcm
        return to_pcm16(to_float(pcm) * self.over(len(pcm) // 2))
