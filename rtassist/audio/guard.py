"""Whose voice is in the microphone, while the loudspeaker sounds: the assistant's own, or a user's?

What the linear filter leaves is compared, band by band, with what it has taken out: of an echo a part is
left that is known after a while, some -10 to -30 dB; a user is louder than that part in many bands at once,
even when he is weaker than the echo itself. While the filter has not learnt the room, or the room has become
another one, it is not believed, and a user is who gets through the canceller.
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtassist.audio.beginner import BANDS, BLOCKS, LEAST_POWER, Beginner, band_powers
from rtassist.audio.linear import BLOCK

Samples = NDArray[np.float32]
Bands = NDArray[np.float64]

USER_DB = 4.0
"""By how much more than the usual is left, on the mean of all bands, there is a user. In 27 minutes of echo
alone the most was 3.7 (a loudspeaker that distorts; else 2.9); of users from 12 dB under the echo to 20 dB
over it, 95 of 100 passed 3.5 within 180 ms, and half of them 12."""
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
RISES = 10 ** (3 / 10 / 50)
"""3 dB per second: how fast noise is known that begins. Speech has gaps, and falls are followed at once."""
LEARNT_DB, FORGOTTEN_DB = 6.0, 2.0
"""What the filter must take out to be believed, and to stay so."""
AGAINST = 0.25
"""How much of the echo taken out may be found again in what is left, turned over: 0 when the filter is right,
whoever speaks; towards 1 when the room has become another one."""
REMEMBERS = 0.97
"""Per block, of the powers that the cancellation is reckoned from."""
CHANCE = 0.3
"""How alike a user and an echo can be over 80 ms; a room that has become another one gives 0.5 to 0.7."""
HEARD_POWER = 1e-3
"""Of a spectrum taken out: less says nothing about the filter."""


class Judge:
    """Told of every block of BLOCK samples, full scale ±1, while the loudspeaker may be heard."""

    def __init__(self) -> None:
        self.user = False
        self.believed = False
        """The linear filter has learnt the room."""
        self.over = False
        """The user is best heard in the microphone as it is: there is next to no echo."""
        self.moved = False
        """What is left is like the echo: the room is not the one that was learnt."""
        self.score = 0.0
        self._before = np.zeros((2, BLOCK), np.float32)
        self._usual_db = np.full(BANDS, UNKNOWN_DB)
        self._expected = np.zeros(BANDS)
        self._noise: Bands | None = None
        self._scores: deque[float] = deque(maxlen=BLOCKS)
        self._crosses: deque[tuple[float, float, float]] = deque(maxlen=BLOCKS)
        self._powers = (1e-9, 1e-9)
        self._quiet_blocks = 0
        self._beginner = Beginner()

    def hear(self, near: Samples, far: Samples, left: Samples, echo: Samples, cancelled: Samples) -> bool:
        """Whether a user speaks. The microphone's block and the far end's, as the filter hears it; what the
        filter left and what it took out; and what came through the canceller.
        """
        self._compare(left, echo)
        self._believe(near, left)
        self.score = sum(self._scores) / BLOCKS if len(self._scores) == BLOCKS else 0.0
        self.over = False
        if self.believed:
            begins = self.score > USER_DB and not self.moved
            stays = self._scores[-1] > STAYS_DB
        else:
            begins, stays = self._beginner.hear(near, far, cancelled, user=self.user)
            self.over = self._beginner.over
        self._quiet_blocks = 0 if begins or (stays and self.user) else self._quiet_blocks + 1
        self.user = begins or (self.user and self._quiet_blocks < STAYS_BLOCKS)
        return self.user

    @property
    def sure(self) -> bool:
        """Nobody speaks, and nothing of late is like it."""
        return not self.user and self._scores[-1] < STAYS_DB

    def pass_over(self, nears: Samples, fars: Samples) -> None:
        """Told in place of `hear` of blocks, the rows, in which the microphone heard nothing."""
        self._beginner.pass_over(nears, fars)

    def pass_over_noise(self, nears: Sequence[Samples]) -> None:
        """Told in place of `hear` of blocks, one after the other, while nothing had sounded for long: of what
        `hear` makes of them, only how loud the noise is is not forgotten before the next voice."""
        sound = np.concatenate([self._before[0], *nears]).reshape(-1, BLOCK)
        _, _, powers = band_powers(sound[:-1], sound[1:])
        count = len(nears)
        rises: Bands = RISES ** np.arange(count - 1, -1, -1.0)[:, None]
        noise = (np.maximum(powers, LEAST_POWER) * rises).min(axis=0)
        self._noise = noise if self._noise is None else np.minimum(noise, self._noise * RISES**count)
        self._expected *= FADES**count
        self._before = np.stack([nears[-1], np.zeros(BLOCK, np.float32)])

    def realign(self) -> None:
        """The far end comes at another time from here on."""
        self._beginner.realign()

    def _compare(self, left: Samples, echo: Samples) -> None:
        both = np.stack([left, echo])
        spectra, powers, (left_power, echo_power) = band_powers(self._before, both)
        self._before = both
        self._expected = np.maximum(echo_power, FADES * self._expected)
        most = left_power if self._noise is None else self._noise * RISES
        self._noise = np.maximum(np.minimum(left_power, most), LEAST_POWER)
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
        self._held: deque[tuple[Samples, Samples]] = deque()

    def put(self, block: Samples, plain: Samples, *, passes: bool, over: bool = False) -> list[Samples]:
        """The blocks that go on now: all that waited and this one when it passes, else at most one. Of each
        there are two, and `over` says that it is `plain`, the microphone's own, that goes.
        """
        self._held.append((block, plain))
        if passes:
            released = [plain if over else block for block, plain in self._held]
            self._held.clear()
            return released
        if len(self._held) > HELD_BLOCKS:
            return [np.zeros_like(self._held.popleft()[0])]
        return []
