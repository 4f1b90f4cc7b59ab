"""How loud the user is: a slow gain towards the level of speech, and whether a microphone clips. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE

Samples = NDArray[np.float32]

FAINT_DBFS, LOUD_DBFS = -36.0, -12.0
"""Speech between these is left as it is. (RMS of its syllables: a headset gives -25, a laptop at arm's length
-35; recognisers and voice detectors do well over this whole range.)"""
RAISED_TO_DBFS, LOWERED_TO_DBFS = -28.0, -18.0
MOST_DB, LEAST_DB = 18.0, -12.0
NOISE_DBFS = -54.0
"""The room's noise is not raised above this: it would be taken for speech, or keep a turn from its end."""
SPEECH_OVER_NOISE_DB = 12.0
"""What is so much louder than the quietest of the last seconds is speech."""
INAUDIBLE_DBFS = -66.0
DB_A_SECOND = 3.0
"""Of speech: it changes by no more than 0.06 dB from one chunk of 20 ms to the next, which neither an ear nor
a detector of onsets takes for a change of loudness."""
AVERAGED_S = 2.0
"""Of speech: some sentences decide, and not one word."""
NOISE_RISES_DB_A_SECOND = 2.0
HEADROOM = np.float32(0.97)


class Gain:
    """An automatic gain. It moves while the user speaks and stands still in the pauses, so that the noise in
    them does not rise and fall; what is of a healthy level is returned as it came, bit by bit."""

    def __init__(self) -> None:
        self.db = 0.0
        self._noise_dbfs = 0.0
        self._speech_power = 0.0
        self._spoken_s = 0.0

    def apply(self, samples: Samples) -> Samples:
        """The next samples, louder or quieter. Peaks are kept below full scale."""
        before_db, duration_s = self.db, len(samples) / SAMPLE_RATE
        power = float(np.dot(samples, samples)) / max(1, len(samples))
        level_dbfs = _dbfs(power)
        self._noise_dbfs = min(level_dbfs, self._noise_dbfs + NOISE_RISES_DB_A_SECOND * duration_s)
        if level_dbfs > max(self._noise_dbfs + SPEECH_OVER_NOISE_DB, INAUDIBLE_DBFS):
            self._spoken_s += duration_s
            share = duration_s / min(self._spoken_s, AVERAGED_S)
            self._speech_power += (power - self._speech_power) * share
            if self._spoken_s >= AVERAGED_S / 2:
                step_db = DB_A_SECOND * duration_s
                wanted_db = self._wanted_db(_dbfs(self._speech_power))
                self.db += min(max(wanted_db - self.db, -step_db), step_db)
        if self.db == before_db == 0:
            return samples
        return self._amplified(samples, before_db)

    def _wanted_db(self, speech_dbfs: float) -> float:
        if speech_dbfs < FAINT_DBFS:
            most_db = min(MOST_DB, NOISE_DBFS - self._noise_dbfs)
            return max(0.0, min(RAISED_TO_DBFS - speech_dbfs, most_db))
        if speech_dbfs > LOUD_DBFS:
            return max(LOWERED_TO_DBFS - speech_dbfs, LEAST_DB)
        # Healthy by itself: a gain from before is kept as long as it does no harm.
        return self.db if FAINT_DBFS <= speech_dbfs + self.db <= LOUD_DBFS else 0.0

    def _amplified(self, samples: Samples, before_db: float) -> Samples:
        first, last = 10 ** (before_db / 20), 10 ** (self.db / 20)
        amplified = samples * np.linspace(first, last, len(samples), dtype=np.float32)
        peak = np.max(np.abs(amplified), initial=np.float32(0))
        if peak > HEADROOM and last > 1:
            amplified *= HEADROOM / peak
        return amplified


FULL_SCALE = 0.999
FLAT_SAMPLES = 3
"""So many neighbours at full scale are a wave whose top was cut off."""
CLIPPED_PIECES = 5.0
"""Told after so many pieces of 20 ms that clip; each second without forgives one. A cough is forgiven."""


class ClipWatch:
    """Listens to one microphone, before anything changes its sound; says once that it clips."""

    def __init__(self) -> None:
        self._clipped = 0.0

    def clips(self, samples: Samples) -> bool:
        """Given the next samples, 10 to 40 ms: True once, when too many were cut off at full scale."""
        if math.isinf(self._clipped):
            return False
        if _has_flat_top(samples):
            self._clipped += 1
        else:
            self._clipped = max(0.0, self._clipped - len(samples) / SAMPLE_RATE)
        told = self._clipped >= CLIPPED_PIECES
        if told:
            self._clipped = math.inf
        return told


def _has_flat_top(samples: Samples) -> bool:
    if not len(samples) or (samples.max() < FULL_SCALE and samples.min() > -FULL_SCALE):
        return False  # what is nearly always so costs a few µs
    full = np.abs(samples) >= FULL_SCALE
    return bool(np.any(np.convolve(full, np.ones(FLAT_SAMPLES), "valid") == FLAT_SAMPLES))


def _dbfs(power: float) -> float:
    return 10 * math.log10(power) if power > 1e-10 else -100.0
