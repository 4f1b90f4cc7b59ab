"""The loudspeaker's sound as the microphone should hear it, subtracted: the user stays whole under it.

A canceller of telephony takes everything away that might be echo, and the user with it when he speaks no
louder than the loudspeaker. This filter takes away only what follows from the far end by a linear room. It
leaves more of the echo, which `guard` knows how to tell from a user.

The filter is a partitioned Kalman filter in the frequency domain (Kuech, Mabande, Enzner: "State-space
architecture of the partitioned-block-based acoustic echo controller", ICASSP 2014): it learns fast while the
echo is alone, and by itself slows down while somebody speaks. Clocks that differ turn its phases; it follows
the turning, which at 100 ppm leaves 25 dB of cancellation where there would be 5.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.delay import SEARCHED, THINNED, DelayFinder

Samples = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

BLOCK = SAMPLE_RATE // 50
"""20 ms. Half of it costs twice the time (18 ms of CPU per second) and cancels no more."""
PARTITIONS = 10
"""200 ms, of which `EchoPath` leaves 160 and more to the room."""
BINS = BLOCK + 1
SILENCE = np.zeros(BLOCK, np.float32)
OMEGA = (np.pi * np.arange(BINS) / BLOCK).astype(np.float32)
"""Phase that each bin turns by in one sample."""
KEEPS = ((6.0, 0.99), (15.0, 0.997), (99.0, 0.999))
"""Per block, up to how many dB of cancellation. A filter that knows little forgets fast, which brings it to
6 dB after 2.4 s, where 0.999 takes 3.4 (means of ten rooms); one that knows much keeps it for 10 s."""
REMEMBERS = 0.98
"""Per block, of the powers that the cancellation is reckoned from: a second."""
TWICE_DB = 10.0
"""Below, every block is learnt from twice, which saves 0.4 s."""
UNCERTAIN = 0.05 * np.power(0.7, np.arange(PARTITIONS, dtype=np.float32))[:, None]
"""Variance of what is not learnt yet, of a room that is as loud in the microphone as in the file."""
SMOOTH = 0.9
QUIET_POWER = 1e-5
"""What is added where a division by silence would be: -77 dBFS in a bin."""
TURNED_BINS = 80
"""Up to 2 kHz. Above, a path that turns is off by half a turn before it is followed."""
TURNED_KEEPS = 0.98
TURNED_STEP = 0.02
"""With 0.1 the loop swings; with 0.02 it has found 100 ppm after 3 to 8 s of voice."""
LEAST_TURN = 1e-4
"""Samples per block, 0.2 ppm: a change that is not worth 481 sines."""
MOST_TURN = 0.1
"""Samples per block: 200 ppm."""


class LinearFilter:
    """One path from the far end to the microphone. Blocks of BLOCK samples, full scale ±1."""

    def __init__(self) -> None:
        # The newest first, in a window that moves through twice the room; so nothing is shifted.
        self._fars = np.zeros((2 * PARTITIONS, BINS), np.complex64)
        self._far_powers = np.zeros((2 * PARTITIONS, BINS), np.float32)
        self._newest = PARTITIONS
        self._sounds = np.zeros(2 * BLOCK, np.float32)
        self._lefts = np.zeros(2 * BLOCK, np.float32)
        self._turn = 0.0
        self._turned_by, self._turner = 0.0, np.ones(BINS, np.complex64)
        # Written anew for every block: a fresh 40 kB each time has to be fetched from memory.
        self._complex = np.zeros((PARTITIONS, BINS), np.complex64)
        self._real = np.zeros((PARTITIONS, BINS), np.float32)
        self.forget()

    @property
    def _far(self) -> Spectrum:
        return self._fars[self._newest : self._newest + PARTITIONS]

    @property
    def _far_power(self) -> Samples:
        return self._far_powers[self._newest : self._newest + PARTITIONS]

    def forget(self) -> None:
        """All but the turning of the clocks."""
        self._path = np.zeros((PARTITIONS, BINS), np.complex64)
        self._uncertain = np.tile(UNCERTAIN, (1, BINS)).astype(np.float32)
        self._left_power = np.full(BINS, 1e-4, np.float32)
        self._turned = (0.0, 1e-9)
        self._powers = (1e-9, 1e-9)
        self._constrained = 0

    @property
    def drift_ppm(self) -> float:
        """By how much the loudspeaker's clock is faster than the microphone's, as far as it is known."""
        return -self._turn / BLOCK * 1e6

    def shift(self, blocks: int) -> None:
        """From here on the far end comes `blocks` later than before, so that the path is shorter by them."""
        if abs(blocks) >= PARTITIONS:
            self.forget()
            return
        fresh = np.tile(UNCERTAIN, (1, BINS)).astype(np.float32)
        empty = np.zeros_like(self._path)
        if blocks > 0:
            self._path = np.concatenate([self._path[blocks:], empty[:blocks]])
            self._uncertain = np.concatenate([self._uncertain[blocks:], fresh[-blocks:]])
        elif blocks < 0:
            self._path = np.concatenate([empty[:-blocks], self._path[:blocks]])
            self._uncertain = np.concatenate([fresh[:-blocks], self._uncertain[:blocks]])

    def subtract(self, near: Samples, far: Samples, *, carefully: bool = False) -> tuple[Samples, Samples]:
        """What is left of the microphone's block, and the echo that was taken out of it. `carefully`: what is
        left is known to be a user, and there is little to learn from it."""
        self._arrived(far)
        if self._turn:
            if abs(self._turn - self._turned_by) > LEAST_TURN:
                self._turned_by = self._turn
                np.cos(OMEGA * self._turn, out=self._turner.real)
                np.sin(OMEGA * -self._turn, out=self._turner.imag)
            self._path *= self._turner
        left, echo = self._predict(near)
        if carefully:
            self._learn(left, KEEPS[-1][1])
            return left, echo
        heard, remained = self._powers = (
            REMEMBERS * self._powers[0] + float(np.vdot(near, near)),
            REMEMBERS * self._powers[1] + float(np.vdot(left, left)),
        )
        cancelled_db = 10 * math.log10((heard + 1e-9) / (remained + 1e-9))
        keeps = next((keeps for up_to_db, keeps in KEEPS if cancelled_db < up_to_db), KEEPS[-1][1])
        self._learn(left, keeps)
        if cancelled_db < TWICE_DB:
            self._learn(self._predict(near)[0], keeps=1.0)
        return left, echo

    def _predict(self, near: Samples) -> tuple[Samples, Samples]:
        np.multiply(self._path, self._far, out=self._complex)
        echo = np.fft.irfft(self._complex.sum(axis=0))[BLOCK:].astype(np.float32, copy=False)
        return near - echo, echo

    def _arrived(self, far: Samples) -> None:
        if self._newest == 0:
            self._newest = PARTITIONS
            self._fars[PARTITIONS + 1 :] = self._fars[: PARTITIONS - 1]
            self._far_powers[PARTITIONS + 1 :] = self._far_powers[: PARTITIONS - 1]
        else:
            self._newest -= 1
        self._sounds[:BLOCK] = self._sounds[BLOCK:]
        self._sounds[BLOCK:] = far
        self._fars[self._newest] = np.fft.rfft(self._sounds)
        self._far_powers[self._newest] = _power(self._fars[self._newest])

    def _learn(self, sound: Samples, keeps: float) -> None:
        self._lefts[BLOCK:] = sound
        left = np.fft.rfft(self._lefts).astype(np.complex64, copy=False)
        self._left_power *= SMOOTH
        self._left_power += (1 - SMOOTH) * _power(left)
        far_power, step, gain = self._far_power, self._complex, self._real
        # The window holds a block of zeros and a block of sound: half of the power that a full one has.
        expected = 0.5 * np.einsum("pb,pb->b", self._uncertain, far_power)
        np.divide(self._uncertain, expected + self._left_power + np.float32(QUIET_POWER), out=gain)
        np.conjugate(self._far, out=step)
        step *= left
        step *= gain
        self._follow_turning(step)
        self._path += step
        gain *= far_power
        gain *= -0.5 * keeps**2
        gain += keeps**2
        self._uncertain *= gain
        if keeps < 1:
            np.square(self._path.real, out=gain)
            gain += np.square(self._path.imag)
            gain *= 1 - keeps**2
            self._uncertain += gain
        # One partition in turn is cut back to what a block can hold; all of them would cost 4 ms/s more.
        response = np.fft.irfft(self._path[self._constrained])
        response[BLOCK:] = 0
        self._path[self._constrained] = np.fft.rfft(response)
        self._constrained = (self._constrained + 1) % PARTITIONS

    def _follow_turning(self, step: Spectrum) -> None:
        path, omega = self._path[:, :TURNED_BINS], OMEGA[:TURNED_BINS]
        across = np.einsum("pb,pb->b", path.conj(), step[:, :TURNED_BINS]).imag
        seen = TURNED_KEEPS * self._turned[0] - float(omega @ across)
        weight = TURNED_KEEPS * self._turned[1] + float((omega**2) @ _power(path).sum(axis=0))
        self._turned = (seen, weight)
        if weight > 1e-9:
            self._turn = min(max(self._turn + TURNED_STEP * seen / weight, -MOST_TURN), MOST_TURN)


def _power(spectrum: Spectrum) -> Samples:
    power: Samples = spectrum.real**2 + spectrum.imag**2
    return power


EARLIEST, LATEST = SAMPLE_RATE * 5 // 1000, SAMPLE_RATE * 70 // 1000
"""Where in the filter an echo may begin. A found delay jitters by 1 ms, and drifts by 6 ms in a minute."""
AIM = BLOCK + BLOCK // 2
FARTHEST = SEARCHED * THINNED // BLOCK


class EchoPath:
    """A filter that is as long as a room, behind a delay as long as it takes."""

    def __init__(self) -> None:
        self._filter = LinearFilter()
        self._finder = DelayFinder()
        self._waiting: deque[Samples] = deque([SILENCE] * (FARTHEST + 1), FARTHEST + 1)
        self._silent_blocks = FARTHEST + PARTITIONS
        self.later = 0
        """Blocks by which the far end is held back."""
        self.delay: int | None = None
        """Samples, as found last."""

    def expect(self, delay: int) -> None:
        """Until it is found, an echo after so many samples."""
        if self.delay is None:
            self._aim(delay)

    def restart(self) -> None:
        """The echo is elsewhere, by the same clocks."""
        self._filter.forget()
        self._finder = DelayFinder()

    def subtract(self, near: Samples, far: Samples, *, carefully: bool) -> tuple[Samples, Samples]:
        """As the filter's."""
        self._waiting.appendleft(far)
        self._silent_blocks = 0 if far.any() else self._silent_blocks + 1
        if self.silent:
            return near, SILENCE
        found = self._finder.heard(near, far)
        if found is not None:
            self.delay = found
            if not EARLIEST <= found - self.later * BLOCK <= LATEST:
                self._aim(found)
        return self._filter.subtract(near, self.far(), carefully=carefully)

    @property
    def silent(self) -> bool:
        """Nothing of the far end can be in the microphone any more: there is nothing to do."""
        return self._silent_blocks >= FARTHEST + PARTITIONS

    def far(self) -> Samples:
        """What the filter hears of the far end now, 5 to 70 ms before the echo."""
        return self._waiting[self.later]

    def _aim(self, delay: int) -> None:
        later = min(max(delay - AIM, 0) // BLOCK, FARTHEST)
        self._filter.shift(later - self.later)
        self.later = later
