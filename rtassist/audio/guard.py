"""Whose voice is in the microphone, while the loudspeaker sounds: the assistant's own, or a user's?

What the linear filter leaves is compared, band by band, with what it has taken out: of an echo a part is
left that is known after a while, some -10 to -30 dB; a user is louder than that part in many bands at once,
even when he is weaker than the echo itself. While the filter has not learnt the room, or the room has become
another one, it is not believed, and a user is who gets through the canceller.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.linear import BLOCK

Samples = NDArray[np.float32]
Bands = NDArray[np.float64]

EDGES_HZ = (150, 300, 500, 750, 1050, 1400, 1850, 2400, 3100, 4000, 5500)
"""Ten bands of speech, wider where it is weaker."""
WINDOW = np.hanning(2 * BLOCK).astype(np.float32)
BLOCKS = 4
"""80 ms: what is decided from."""
USER_DB = 4.0
"""By how much more than the usual is left, on the mean of all bands, there is a user. In 27 minutes of echo
alone the most was 3.7 (a loudspeaker that distorts; else 2.9); of users who spoke 12 dB weaker than the echo or
louder, 95 of 100 passed 3.5 within 180 ms, and half of them 12."""
STAYS_DB = 1.5
STAYS_BLOCKS = 15
"""300 ms: a pause between words."""
LIKE_ECHO_DB = 2.5
"""Up to here it is learnt what echo leaves."""
USUAL = 0.8
"""What is usual is the quantile of so many blocks, found in steps of 1 dB."""
UNKNOWN_DB = 3.0
FADES = 0.5
"""A room's echo of 60 dB in 0.4 s, per block. The filter's end cuts longer ones."""
LEAST_POWER = 3e-8
"""-75 dBFS: quieter rooms are not."""
RISES = 10 ** (1 / 10 / 50)
"""The noise of a room may rise by 1 dB per second."""
LEARNT_DB, FORGOTTEN_DB = 6.0, 2.0
"""What the filter must have taken out, over its last second, to be believed."""
AGAINST = 0.25
"""How much of the echo taken out may be found again in what is left, turned over: 0 when the filter is right,
whoever speaks; towards 1 when the room has become another one."""
COLD_BLOCKS = 125
"""2.5 s of voice. Until then neither filter nor canceller has learnt the room: who begins to speak meanwhile is
heard when the filter is ready, after 1 to 3 s mostly. The canceller alone let a burst of echo through that
counts as speech, in one of six beginnings."""
JUMP, GAIN_BLOCKS, FAR_BLOCKS, LEAST_FAR = 10.0, 30, 40, 1e-5
"""10 dB over the most that the echo had in 0.6 s of voice and more, against the far end of the last 800 ms, of
which pauses count as -50 dBFS."""
LEVELS, ALIKE = 12, 0.5
"""Over 240 ms. Bursts of echo are 0.5 to 0.98 alike, users who are heard over it -0.6 to 0.5."""
REMEMBERS = 0.97
CHANCE = 0.3
"""How alike a user and an echo can be over 80 ms; a room that has become another one gives 0.5 to 0.7."""
HEARD_POWER = 1e-3
LOUD_DB = -45.0
"""What comes through a canceller that is still learning, in short bursts of echo, is weaker."""


def _matrix() -> NDArray[np.float32]:
    hz = np.arange(BLOCK + 1) * SAMPLE_RATE / (2 * BLOCK)
    rows = [(hz >= low) & (hz < high) for low, high in zip(EDGES_HZ[:-1], EDGES_HZ[1:], strict=True)]
    # Such that white noise of power 1 has 1 in every band.
    return np.array([row / row.sum() for row in rows]).astype(np.float32).T / np.sum(WINDOW**2)


MATRIX = _matrix()
BANDS = MATRIX.shape[1]


class Judge:
    """Told of every block of BLOCK samples, full scale ±1, while the loudspeaker may be heard."""

    def __init__(self) -> None:
        self.user = False
        self.believed = False
        """The linear filter has learnt the room."""
        self.moved = False
        """What is left is like the echo: the room is not the one that was learnt."""
        self.score = 0.0
        self._left = self._echo = np.zeros(BLOCK, np.float32)
        self._usual_db = np.full(BANDS, UNKNOWN_DB)
        self._expected = np.zeros(BANDS)
        self._noise = np.full(BANDS, LEAST_POWER)
        self._scores: deque[float] = deque(maxlen=BLOCKS)
        self._crosses: deque[tuple[float, float, float]] = deque(maxlen=BLOCKS)
        self._through_db: deque[float] = deque(maxlen=BLOCKS)
        self._powers = (1e-9, 1e-9)
        self._quiet_blocks = 0
        self._near = self._far = np.zeros(BLOCK, np.float32)
        self._levels: deque[Bands] = deque(maxlen=LEVELS)
        self.alike = 0.0
        self._voice_blocks = 0
        self._near_powers: deque[float] = deque(maxlen=BLOCKS)
        self._far_powers: deque[float] = deque([0.0], maxlen=FAR_BLOCKS)
        self._gains: deque[float] = deque(maxlen=LEVELS)
        self._most_gain = 0.0

    def hear(self, near: Samples, far: Samples, left: Samples, echo: Samples, cancelled: Samples) -> bool:
        """Whether a user speaks. The microphone's block and the far end's, as the filter hears it; what the
        filter left and what it took out; and what came through the canceller.
        """
        self._compare(left, echo)
        if not self.believed:
            self._liken(near, far)
        self._believe(near, left)
        self._through_db.append(10 * math.log10(float(np.vdot(cancelled, cancelled)) / BLOCK + 1e-10))
        self.score = sum(self._scores) / BLOCKS if len(self._scores) == BLOCKS else 0.0
        if self.believed:
            begins = self.score > USER_DB and not self.moved
            stays = self._scores[-1] > STAYS_DB
        else:
            self._voice_blocks += bool(far.any())
            ready = self._voice_blocks == 0 or self._voice_blocks > COLD_BLOCKS
            unlike = ready and self.alike < ALIKE
            jumps = self._jumps(near, far)
            begins = min(self._through_db) > LOUD_DB and (unlike or jumps)
            stays = self._through_db[-1] > LOUD_DB and self.alike < ALIKE
        self._quiet_blocks = 0 if begins or (stays and self.user) else self._quiet_blocks + 1
        self.user = begins or (self.user and self._quiet_blocks < STAYS_BLOCKS)
        return self.user

    def _jumps(self, near: Samples, far: Samples) -> bool:
        """The microphone is far louder than this loudspeaker ever made it."""
        self._near_powers.append(float(np.vdot(near, near)) / BLOCK)
        self._far_powers.append(float(np.vdot(far, far)) / BLOCK)
        gain = sum(self._near_powers) / BLOCKS / max(*self._far_powers, LEAST_FAR)
        if self.user:
            self._gains.clear()
        elif len(self._gains) == self._gains.maxlen:
            self._most_gain = max(self._most_gain, self._gains[0])
        self._gains.append(gain)
        return self._voice_blocks > GAIN_BLOCKS and gain > JUMP * self._most_gain

    def realign(self) -> None:
        """The far end comes at another time from here on."""
        self._levels.clear()

    def _compare(self, left: Samples, echo: Samples) -> None:
        both = np.concatenate([[self._left, self._echo], [left, echo]], axis=1)
        self._left, self._echo = left, echo
        spectra = np.fft.rfft(both * WINDOW)
        powers = spectra.real**2 + spectra.imag**2
        left_power, echo_power = powers @ MATRIX
        self._expected = np.maximum(echo_power, FADES * self._expected)
        self._noise = np.clip(left_power, LEAST_POWER, self._noise * RISES)
        usual = self._expected * 10 ** (self._usual_db / 10) + 3 * self._noise
        over_db = 10 * np.log10((left_power + 1e-12) / usual)
        self._scores.append(float(np.minimum(np.maximum(over_db, -3.0), 15.0).sum()) / BANDS)
        remains, taken_out = powers.sum(axis=1).tolist()
        self._crosses.append((float(np.vdot(spectra[1], spectra[0]).real), taken_out, remains))
        cross, taken_out, remains = (sum(column) for column in zip(*self._crosses, strict=True))
        # Of what is much louder than the echo, some is like it by chance.
        by_chance = CHANCE * math.sqrt(taken_out * remains)
        self.moved = abs(cross) > max(AGAINST * taken_out, by_chance)
        if self.moved or (not self.user and self._scores[-1] < LIKE_ECHO_DB):
            left_db = 10 * np.log10((left_power + LEAST_POWER) / (self._expected + LEAST_POWER))
            step = np.where(left_db > self._usual_db, USUAL, USUAL - 1)
            self._usual_db += np.where(self._expected > 10 * LEAST_POWER, step, 0.0)

    def _liken(self, near: Samples, far: Samples) -> None:
        """How the microphone's bands rise and fall with the far end's, of late: 1 is the same."""
        both = np.concatenate([[self._near, self._far], [near, far]], axis=1)
        self._near, self._far = near, far
        spectra = np.fft.rfft(both * WINDOW)
        self._levels.append(np.log((spectra.real**2 + spectra.imag**2) @ MATRIX + LEAST_POWER))
        levels = np.array(self._levels)
        levels -= levels.mean(axis=0)
        across = float(np.vdot(levels[:, 0], levels[:, 1]))
        powers = float(np.vdot(levels[:, 0], levels[:, 0])) * float(np.vdot(levels[:, 1], levels[:, 1]))
        full = len(self._levels) == LEVELS
        self.alike = across / (math.sqrt(powers) + 1e-9) if full else 1.0

    def _believe(self, near: Samples, left: Samples) -> None:
        like_echo = not self.user and self._scores[-1] < LIKE_ECHO_DB
        if (like_echo or self.moved or not self.believed) and self._crosses[-1][1] > HEARD_POWER:
            heard, remained = self._powers
            self._powers = (
                REMEMBERS * heard + float(np.vdot(near, near)),
                REMEMBERS * remained + float(np.vdot(left, left)),
            )
        heard, remained = self._powers
        self.believed = heard > remained * 10 ** ((FORGOTTEN_DB if self.believed else LEARNT_DB) / 10)


HELD_BLOCKS = 10
"""200 ms: a user is found in 100 ms, half of the time, and in 200 nine times of ten."""


class Hold:
    """What may be echo waits, and goes on whole when it was a user; else silence goes in its place."""

    def __init__(self) -> None:
        self._held: deque[Samples] = deque()

    def put(self, block: Samples, *, passes: bool) -> list[Samples]:
        """The blocks that go on now: all that waited and this one when it passes, else at most one."""
        self._held.append(block)
        if passes:
            released = list(self._held)
            self._held.clear()
            return released
        if len(self._held) > HELD_BLOCKS:
            return [np.zeros_like(self._held.popleft())]
        return []
