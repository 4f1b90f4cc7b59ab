"""What the loudspeaker sounds, for whoever listens to the microphone: two streams on one clock.

A place is a moment of the machine's clock in samples of 24 kHz. Each stream counts its own samples, so that
its neighbours stay neighbours; its place is corrected only when it is off by more than a canceller follows
by itself. Such a correction, and everything else that moves an echo in the stream, is a break: what was
learnt of the echo is wrong from there on.
"""

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE

Pcm = NDArray[np.int16]

KEPT = 4 * SAMPLE_RATE
TOLERATED = SAMPLE_RATE * 30 // 1000
"""30 ms. Reports jitter by a block of the sound server; cards that differ by 100 ppm need five minutes."""
WINDOW = SAMPLE_RATE
"""One second: a machine that is busy for so long has other troubles than its echo."""


def place(at_s: float) -> int:
    """A moment of time.monotonic()."""
    return round(at_s * SAMPLE_RATE)


class Line:
    """Where sample 0 of a stream stands, from reports that may come late and never early: the least of the
    last two windows, of so many samples, is right.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._least: int | None = None
        self._before: int | None = None
        self._since = 0

    def report(self, at: int, count: int) -> None:
        """The sample `count` was seen at `at`."""
        if self._least is None:
            self._least, self._since = at - count, at
        elif at - self._since > self._window:
            self._before, self._least, self._since = self._least, at - count, at
        else:
            self._least = min(self._least, at - count)

    def origin(self) -> int:
        """Only after a report."""
        assert self._least is not None
        return self._least if self._before is None else min(self._least, self._before)


class FarEnd:
    """The stream of the loudspeaker: its thread writes, the microphone's reads."""

    def __init__(self) -> None:
        self.breaks = 0
        self.open = False
        """A loudspeaker is sounding it."""
        self.latency = 0
        """Samples from where a sample is placed until it sounds, as the sound system told last."""
        self._lock = threading.Lock()
        self._kept = np.zeros(KEPT, np.int16)
        self._end = 0
        self._loud_until = 0
        self._unbroken = 0
        self._line: Line | None = None

    def write(self, at: int, samples: Pcm) -> None:
        """The next samples of the stream, which are expected to sound from `at` on, or a little earlier."""
        with self._lock:
            if self._line is None:
                self._place_end(at)
                self._line = Line()
            self._line.report(at, self._end)
            if abs(off := self._line.origin()) > TOLERATED:
                self._place_end(self._end + off)
                self._line = Line()
            self._append(samples)
            self._unbroken += len(samples)
            self._listen(samples)

    def rewrite(self, samples: Pcm) -> None:
        """These sound in place of as many written last."""
        with self._lock:
            samples = samples[max(0, len(samples) - self._unbroken) :]
            self._end -= len(samples)
            self._append(samples)
            self._loud_until = min(self._loud_until, self._end - len(samples))
            self._listen(samples)

    def _listen(self, samples: Pcm) -> None:
        """To the last ones."""
        loud = np.flatnonzero(np.abs(samples) > LOUD)
        if len(loud):
            self._loud_until = self._end - len(samples) + int(loud[-1]) + 1

    def cut(self, at: int) -> None:
        """Nothing written sounds from `at` on, and what comes next has a new place."""
        with self._lock:
            self._end = min(self._end, at)
            self._loud_until = min(self._loud_until, at)
            self._unbroken = 0
            self._line = None

    def read(self, at: int, count: int) -> Pcm:
        """What sounds from `at` on; silence where nothing was written, or it is too long ago."""
        with self._lock:
            first, end = max(at, self._end - KEPT), min(at + count, self._end)
            samples = np.zeros(count, np.int16)
            for index, length in _pieces(first, end - first):
                samples[first - at : first - at + length] = self._kept[index : index + length]
                first += length
            return samples

    def loud_since(self, at: int) -> bool:
        """Whether any voice sounds at `at` or later, as far as was written."""
        return self._loud_until > at

    def _place_end(self, at: int) -> None:
        """Silence, where the stream goes on later; what stands behind, where earlier."""
        self.breaks += 1
        self._unbroken = 0
        if at > self._end:
            self._append(np.zeros(min(at - self._end, KEPT), np.int16))
        self._end = at

    def _append(self, samples: Pcm) -> None:
        done = 0
        for index, length in _pieces(self._end, len(samples)):
            self._kept[index : index + length] = samples[done : done + length]
            done += length
        self._end += len(samples)


def _pieces(at: int, count: int) -> Iterator[tuple[int, int]]:
    """Where `count` samples from `at` on stand in what is kept, which begins again at its end: indices and
    lengths. None for no count."""
    while count > 0:
        index = at % KEPT
        length = min(count, KEPT - index)
        yield index, length
        at += length
        count -= length


LOUD = 33
"""-60 dBFS: below it there is no voice."""


class NearEnd:
    """The stream of the microphone: where in the far end each of its frames stands."""

    def __init__(self) -> None:
        self.breaks = 0
        self._line = Line()
        self._arrived = 0
        self._taken = 0
        self._next: int | None = None

    def arrived(self, at: int, count: int) -> None:
        """`count` more samples had come when it was `at`."""
        self._arrived += count
        self._line.report(at, self._arrived)

    def take(self, count: int) -> int:
        """The place of the next `count` samples, which have come."""
        right = self._line.origin() + self._taken
        if self._next is None or abs(right - self._next) > TOLERATED:
            self._next = right
            self.breaks += 1
        at = self._next
        self._next += count
        self._taken += count
        return at
