"""The gain of a stream of samples, which never jumps, and what of the stream can still be changed. Pure."""

import numpy as np

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.pcm import Samples, fade_out, to_float, to_pcm16

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


class Written:
    """What was written to a device last: the sound and the gain that it was given, sample by sample.

    Each method gives what is to be written, or to be written in place of the last `count` samples.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._gain = Gain()
        self._sound = np.zeros(kept, np.float32)
        self._gains = np.ones(kept, np.float32)

    def write(self, samples: Samples) -> Samples:
        gains = self._gain.over(len(samples))
        self._sound = np.concatenate([self._sound, samples])[-self._kept :]
        self._gains = np.concatenate([self._gains, gains])[-self._kept :]
        return samples * gains

    def fade_to(self, gain: float, count: int) -> Samples:
        """`count` is less than what is kept."""
        self._gain.target = gain
        if count:
            self._gain.goes_on_from(float(self._gains[-count - 1]))
            self._gains[-count:] = self._gain.over(count)
        return self._last(count)

    def silence(self, over: int, count: int) -> Samples:
        """The first `over` of them, at most `count`, fade out."""
        sound = self._sound[len(self._sound) - count :]
        sound[:over] = fade_out(sound[:over], over)
        sound[over:] = 0
        return self._last(count)

    def _last(self, count: int) -> Samples:
        last: Samples = self._sound[len(self._sound) - count :] * self._gains[len(self._gains) - count :]
        return last
