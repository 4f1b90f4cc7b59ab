"""Whether a user speaks while neither filter nor canceller has learnt the room; and the bands of speech."""

import math
from collections import deque
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.linear import BLOCK

Samples = NDArray[np.float32]

EDGES_HZ = (150, 300, 500, 750, 1050, 1400, 1850, 2400, 3100, 4000, 5500)
"""Ten bands of speech, wider where it is weaker."""
WINDOW = np.hanning(2 * BLOCK).astype(np.float32)
BLOCKS = 4
"""80 ms: what is decided from."""
LEAST_POWER = 3e-8
"""-75 dBFS: quieter rooms are not."""
COLD_BLOCKS = 125
"""2.5 s of voice. Until then neither filter nor canceller has learnt the room: who begins to speak is heard
when the filter is ready, after 1 to 3 s mostly, or when he is louder than any echo was (JUMP). By the
canceller alone one beginning in six let a burst of echo through that counts as speech."""
LEAST_GAIN, RISES, FALLS = 1e-4, 10**0.2, 10**-0.0067
"""The echo's gain is followed by +2 and -0.067 dB per block of voice: to what three blocks of a hundred
exceed. A user who is taken for echo at first is forgotten again."""
JUMP, GAIN_BLOCKS, FAR_BLOCKS, LEAST_FAR = 10.0, 45, 40, 1e-5
"""10 dB over the gain that the echo had in 0.9 s of voice and more, against the far end of the last 800 ms,
of which pauses count as -50 dBFS."""
LEVELS, ALIKE = 12, 0.5
"""Over 240 ms. Bursts of echo are 0.5 to 0.98 alike, users who are heard over it -0.6 to 0.5."""
LOUD_DB, LOUD_POWER = -45.0, 10**-4.5
"""What comes through a canceller that is still learning, in short bursts of echo, is weaker."""


def _matrix() -> NDArray[np.float32]:
    hz = np.arange(BLOCK + 1) * SAMPLE_RATE / (2 * BLOCK)
    rows = [(hz >= low) & (hz < high) for low, high in pairwise(EDGES_HZ)]
    # Such that white noise of power 1 has 1 in every band.
    return np.array([row / row.sum() for row in rows]).astype(np.float32).T / np.sum(WINDOW**2)


MATRIX = _matrix()
BANDS = MATRIX.shape[1]


def band_powers(before: Samples, now: Samples) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The spectra of some sounds (rows) over a block and the one before, the powers of these, and their means
    in each of BANDS bands."""
    spectra = np.fft.rfft(np.concatenate([before, now], axis=1) * WINDOW)
    powers = spectra.real**2 + spectra.imag**2
    return spectra, powers, powers @ MATRIX


class Beginner:
    """By what comes through the canceller and is unlike the far end; or what is louder than the echo was."""

    def __init__(self) -> None:
        self.over = False
        """The user who speaks is so much louder than the echo that the microphone is best as it is. Where
        there is none, as with headphones, nothing is ever learnt, and a canceller takes half of him away."""
        self._before = np.zeros((2, BLOCK), np.float32)
        self._through_db: deque[float] = deque(maxlen=BLOCKS)
        self._levels: deque[NDArray[np.float32]] = deque(maxlen=LEVELS)
        self._voice_blocks = 0
        self._near_powers: deque[float] = deque(maxlen=BLOCKS)
        self._far_powers: deque[float] = deque([0.0], maxlen=FAR_BLOCKS)
        self._gains: deque[float] = deque(maxlen=LEVELS)
        self._echo_gain = LEAST_GAIN

    def hear(self, near: Samples, far: Samples, cancelled: Samples, *, user: bool) -> tuple[bool, bool]:
        """Whether a user begins to speak with this block, and whether one would still be there."""
        self._through_db.append(10 * math.log10(float(np.vdot(cancelled, cancelled)) / BLOCK + 1e-10))
        self._voice_blocks += bool(far.any())
        unlike = self._alike(near, far) < ALIKE
        gain = self._gain(_power(near), _power(far), user)
        known = self._voice_blocks > GAIN_BLOCKS
        over = known and gain > JUMP * self._echo_gain and min(self._near_powers) > LOUD_POWER
        self.over = over or (self.over and user)
        ready = self._voice_blocks == 0 or self._voice_blocks > COLD_BLOCKS
        begins = over or (ready and unlike and min(self._through_db) > LOUD_DB)
        stays = (unlike and self._through_db[-1] > LOUD_DB) or (self.over and gain > self._echo_gain)
        return begins, stays

    def pass_over(self, nears: Samples, fars: Samples) -> None:
        """Blocks, the rows, in which the microphone hears nothing of anybody, and so of no echo either."""
        self._voice_blocks += int(fars.any(axis=1).sum())
        powers = [np.einsum("bs,bs->b", blocks, blocks) / BLOCK for blocks in (nears, fars)]
        for near_power, far_power in np.stack(powers, axis=1).tolist():
            self._gain(near_power, far_power, user=False)

    def realign(self) -> None:
        """The far end comes at another time from here on."""
        self._levels.clear()

    def _gain(self, near_power: float, far_power: float, user: bool) -> float:
        """How loud the microphone is against this loudspeaker; the most that is known of its echo is kept."""
        self._near_powers.append(near_power)
        self._far_powers.append(far_power)
        gain = sum(self._near_powers) / BLOCKS / max(*self._far_powers, LEAST_FAR)
        if user:
            self._gains.clear()
        elif len(self._gains) == self._gains.maxlen and max(self._far_powers) > LEAST_FAR:
            self._echo_gain *= RISES if self._gains[0] > self._echo_gain else FALLS
        self._gains.append(gain)
        return gain

    def _alike(self, near: Samples, far: Samples) -> float:
        """How the microphone's bands rise and fall with the far end's, of late: 1 is the same."""
        both = np.stack([near, far])
        _, _, bands = band_powers(self._before, both)
        self._before = both
        self._levels.append(np.log(bands + LEAST_POWER))
        levels = np.array(self._levels)
        levels -= levels.mean(axis=0)
        across = float(np.vdot(levels[:, 0], levels[:, 1]))
        powers = float(np.vdot(levels[:, 0], levels[:, 0])) * float(np.vdot(levels[:, 1], levels[:, 1]))
        return across / (math.sqrt(powers) + 1e-9) if len(self._levels) == LEVELS else 1.0


def _power(block: Samples) -> float:
    return float(np.vdot(block, block)) / BLOCK
