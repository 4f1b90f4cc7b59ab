"""How long the loudspeaker's sound takes to the microphone: found in the sound itself."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE

Samples = NDArray[np.float32]

THINNED = 6
"""Samples of 24 kHz in one of 4 kHz: enough to find a delay by."""
SEARCHED = SAMPLE_RATE * 600 // 1000 // THINNED
WINDOW = 1 << 13
"""Two seconds of 4 kHz."""
EVERY, EVERY_FOUND = SAMPLE_RATE // 4 // THINNED, SAMPLE_RATE // THINNED
"""A search takes 0.7 ms."""
SAME = SAMPLE_RATE * 2 // 1000
"""2 ms: clocks that differ by 200 ppm move an echo by 0.2 ms in a second."""
CLEAR = 6.0
"""How many times as high as the rest a peak must be."""


class DelayFinder:
    """How much later than the far end its echo comes, by the correlation of whitened spectra over 2 s."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[Samples, Samples]] = deque()
        self._there = 0
        self._waited = 0
        self._seen: int | None = None
        self._found: int | None = None

    def heard(self, near: Samples, far: Samples) -> int | None:
        """Any equal number of samples, a multiple of 6, which are kept and must not change. Now and then the
        delay in samples, when two searches have seen the same."""
        self._blocks.append((near, far))
        self._there += len(near)
        while self._there - len(self._blocks[0][0]) >= WINDOW * THINNED:
            self._there -= len(self._blocks.popleft()[0])
        self._waited += len(near) // THINNED
        if self._waited < (EVERY if self._found is None else EVERY_FOUND):
            return None
        self._waited = 0
        before, self._seen = self._seen, self._see(*map(_thinned, zip(*self._blocks, strict=True)))
        again = before is not None and self._seen is not None and abs(self._seen - before) <= SAME
        self._found = self._seen if again else None
        return self._found

    def _see(self, near: Samples, far: Samples) -> int | None:
        # Of the far end all but what has had no time to come back.
        far[-SEARCHED:] = 0
        far_spectrum, near_spectrum = np.fft.rfft(far, 2 * WINDOW), np.fft.rfft(near, 2 * WINDOW)
        across = near_spectrum * far_spectrum.conj()
        across[: 2 * WINDOW // 40] = 0  # hum, below 100 Hz
        correlation = np.fft.irfft(across / (np.abs(across) + 1e-3 * np.abs(across).max() + 1e-9))
        there = np.abs(correlation[:SEARCHED])
        best = int(there.argmax())
        rest = float(np.sqrt(np.mean(np.square(there)))) + 1e-12
        return best * THINNED if there[best] > CLEAR * rest else None


def _thinned(blocks: Sequence[Samples]) -> Samples:
    """The last WINDOW samples of 4 kHz; silence before, where there are fewer."""
    thin: Samples = np.concatenate(blocks).reshape(-1, THINNED).mean(axis=1)[-WINDOW:]
    return np.pad(thin, (WINDOW - len(thin), 0))
