"""A chirp, and when it is heard again: a matched filter. Pure.

Lengths and places are samples of 24 kHz.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.pcm import Samples, fade_in, fade_out

LENGTH = SAMPLE_RATE * 120 // 1000
FROM_HZ, TO_HZ = 500, 5000
"""What the small loudspeakers of a laptop sound, and most headsets' microphones hear."""
AMPLITUDE = 0.25
EDGE = SAMPLE_RATE // 100
"""10 ms: without it each end clicks."""
CLEAR = 8.0
"""How far a chirp must stand out of everything else that resembles it. The highest of 27,600 places of noise
reaches 4.5 times their mean square's root, of speech and hum 7 (tests/doctor/test_chirp.py)."""
EARLIER = SAMPLE_RATE * 15 // 1000
DIRECT = 0.6
"""A reflection within 15 ms may be louder than the sound that came straight, hardly by 4 dB."""


def chirp() -> Samples:
    """A tone that rises from 500 to 5000 Hz in 120 ms."""
    at_s = np.arange(LENGTH) / SAMPLE_RATE
    slope = (TO_HZ - FROM_HZ) / (LENGTH / SAMPLE_RATE)
    tone = AMPLITUDE * np.sin(2 * np.pi * (FROM_HZ + slope * at_s / 2) * at_s)
    return fade_out(fade_in(tone.astype(np.float32), EDGE), EDGE)


@frozen(kw_only=True)
class Heard:
    """`at`: where the chirp begins, between samples too. `clear`: how far it stands out. `gain_db`: its
    level by that of the chirp that was played."""

    at: float
    clear: float
    gain_db: float


def find(heard: Samples, sought: Samples) -> Heard | None:
    """The first place where `sought` stands in `heard`, whatever its level and polarity; None: nowhere."""
    places = len(heard) - len(sought) + 1
    if places < 3:
        return None
    likeness = np.abs(_correlated(heard, sought))[:places]
    best = int(np.argmax(likeness))
    beside = np.ones(places, dtype=bool)
    beside[max(0, best - len(sought)) : best + len(sought)] = False
    noise = float(np.sqrt(np.mean(np.square(likeness[beside])))) if beside.any() else 0.0
    # A loop without a room has no noise at all, and rounds to 16 bits.
    clear = float(likeness[best]) / max(noise, float(likeness[best]) * 1e-4, 1e-12)
    if clear < CLEAR:
        return None
    direct = _direct(likeness, best)
    gain = float(likeness[direct]) / float(np.sum(np.square(sought, dtype=np.float64)))
    return Heard(at=_between(likeness, direct), clear=clear, gain_db=float(20 * np.log10(max(gain, 1e-9))))


def _correlated(heard: Samples, sought: Samples) -> NDArray[np.float64]:
    size = 1 << (len(heard) + len(sought)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sought, size))
    return np.fft.irfft(spectrum, size)


def _direct(likeness: NDArray[np.float64], best: int) -> int:
    """The earliest peak that may be the sound that came straight. The chirp's own side lobes are lower."""
    start = max(1, best - EARLIER)
    peaks = [
        at
        for at in range(start, best)
        if likeness[at - 1] < likeness[at] >= likeness[at + 1] and likeness[at] > DIRECT * likeness[best]
    ]
    # The carrier makes a peak every 4 samples or so around the true one: those belong to it.
    early = [at for at in peaks if best - at > SAMPLE_RATE // 1000]
    if not early:
        return best
    cluster = likeness[early[0] : early[0] + SAMPLE_RATE // 1000]
    return early[0] + int(np.argmax(cluster))


def _between(likeness: NDArray[np.float64], peak: int) -> float:
    """The top of the parabola through the peak and its neighbours."""
    if not 0 < peak < len(likeness) - 1:
        return float(peak)
    before, top, after = (float(value) for value in likeness[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return peak + (0.5 * (before - after) / bend if bend else 0.0)


TORN = SAMPLE_RATE // 2000
"""0.5 ms off an even row: sound was lost or filled in before that chirp."""


@frozen(kw_only=True)
class Drift:
    """`ppm`: by how much the microphone's clock is faster than the loudspeaker's; it is right within
    `within_ppm`. `torn`: more than a third of the chirps do not stand in an even row, and it is not right."""

    ppm: float
    within_ppm: float
    torn: bool


def drift(played: Sequence[float], heard: Sequence[float]) -> Drift | None:
    """From where each chirp stood in the loudspeaker's stream, and in the microphone's. None: too few.

    The slope is the median of those between all pairs (Theil and Sen): one chirp that was found at a wrong
    place does not move it.
    """
    if len(played) < 3:
        return None
    x, y = np.asarray(played, np.float64), np.asarray(heard, np.float64)
    offsets = y - x
    one, other = np.triu_indices(len(x), 1)
    slope = float(np.median((offsets[other] - offsets[one]) / (x[other] - x[one])))
    left = offsets - slope * x
    left -= np.median(left)
    even = np.abs(left) < TORN
    if np.count_nonzero(even) * 3 < len(x) * 2:
        return Drift(ppm=slope * 1e6, within_ppm=float("inf"), torn=True)
    # A quarter of a sample is what the parabola leaves in a room with noise.
    within = max(0.25, float(np.sqrt(np.mean(left[even] ** 2)))) * 2 / float(np.ptp(x[even]))
    return Drift(ppm=slope * 1e6, within_ppm=within * 1e6, torn=False)


SYLLABLES_HZ = 4.0
FORMANTS_HZ = (600, 1400, 2600)
LOUDNESS = 0.1
"""-20 dBFS, as speech has it."""


def speechlike(samples: int) -> Samples:
    """A voice without words: harmonics of a pitch that wanders, through three formants, in syllables."""
    at_s = np.arange(samples) / SAMPLE_RATE
    pitch_hz = 120 + 25 * np.sin(2 * np.pi * 0.7 * at_s) + 6 * np.sin(2 * np.pi * 5.1 * at_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    voice = np.zeros(samples)
    for harmonic in range(1, 30):
        hz = 120 * harmonic
        weight = sum(1 / (1 + ((hz - formant) / 250) ** 2) for formant in FORMANTS_HZ)
        voice += weight * np.sin(harmonic * phase)
    voice *= np.clip(np.sin(2 * np.pi * SYLLABLES_HZ * at_s + np.sin(2 * np.pi * 0.31 * at_s)), 0, 1)
    scaled: Samples = (voice * (LOUDNESS / (np.sqrt(np.mean(voice**2)) + 1e-12))).astype(np.float32)
    return scaled
