"""Which of a microphone's chunks can wait a little to go on together: those in which nobody speaks. Pure.

Each piece that goes on costs a wake-up of trio, a decision, and a frame of the WebSocket, which is most of
what listening costs. The first chunk that sounds brings all before it along at once, so that nothing of a
word is missing or late.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE

Samples = NDArray[Any]
"""Of floats, full scale being 1.0, or of 16 bits."""

TOGETHER_SAMPLES = SAMPLE_RATE // 10
"""100 ms: five chunks in one frame. Longer pieces save less and less."""
QUIET_SAMPLES = 2 * SAMPLE_RATE
"""After a word. A server counts the silence that ends a turn, 0.2 to 1 s as a rule: it must not be late."""
SOUNDS_DB = 6.0
"""Over the noise. The power of 20 ms of steady noise varies by 0.3 dB; a syllable is 10 dB over it."""
LEAST_POWER = 1e-6
"""-60 dBFS: what is fainter is no speech in any room."""
RISES = 10 ** (2 / 10)
"""2 dB a second: how fast noise is known that begins."""


class Noise:
    """The noise in a microphone, as far as its power tells: the least of late."""

    def __init__(self) -> None:
        self._power = math.inf

    def exceeded_by(self, samples: Samples) -> bool:
        """Whether the next samples, 20 ms or so, are more than noise."""
        power = _power(samples)
        self._power = min(power, self._power * RISES ** (len(samples) / SAMPLE_RATE))
        return power > max(LEAST_POWER, self._power * 10 ** (SOUNDS_DB / 10))


def _power(samples: Samples) -> float:
    floats = np.asarray(samples, np.float32)
    power = float(np.dot(floats, floats)) / len(floats)
    return power / 32768**2 if samples.dtype == np.int16 else power


class Patience:
    def __init__(self) -> None:
        self.quiet = False
        """Nobody has spoken for a while."""
        self._noise = Noise()
        self._quiet_samples = 0
        self._held: list[Samples] = []
        self._held_samples = 0

    def put(self, chunk: Samples) -> list[Samples]:
        """The pieces that go on now, this chunk the last of them or held."""
        sounds = self._noise.exceeded_by(chunk)
        self._quiet_samples = 0 if sounds else self._quiet_samples + len(chunk)
        self.quiet = self._quiet_samples >= QUIET_SAMPLES
        if not self.quiet:
            return [*self.rest(), chunk]
        self._held.append(chunk)
        self._held_samples += len(chunk)
        return self.rest() if self._held_samples >= TOGETHER_SAMPLES else []

    def rest(self) -> list[Samples]:
        """What waits, in one piece, or none: nothing comes after it."""
        together = [np.concatenate(self._held)] if self._held else []
        self._held, self._held_samples = [], 0
        return together
