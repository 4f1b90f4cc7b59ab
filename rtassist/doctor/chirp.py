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
ALIKE = 0.2
"""The likeness (a correlation coefficient) from which on it is a chirp. In a room one reaches 0.6 to 0.7,
under noise that is 10 dB louder 0.3; noise itself reaches 0.09, a voice 0.13, hum 0.01
(tests/doctor/test_chirp.py).
"""
QUIETEST = 1e-3
"""What is 30 dB below the loudest of a recording is like anything: there likeness counts less."""
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
    """`at`: where the chirp begins, between samples too. `likeness`: 0 to 1. `gain_db`: its level by that of
    the chirp that was played."""

    at: float
    likeness: float
    gain_db: float


def find(heard: Samples, sought: Samples) -> Heard | None:
    """The first place where `sought` stands in `heard`, whatever its level and polarity; None: nowhere."""
    if len(heard) < len(sought) + 2:
        return None
    product = _correlated(heard, sought)
    energy = float(np.sum(np.square(sought, dtype=np.float64)))
    sums = np.concatenate([[0.0], np.cumsum(np.square(heard, dtype=np.float64))])
    energies = sums[len(sought) :] - sums[: -len(sought)]
    if (loudest := float(np.max(energies))) <= 0:
        return None
    likeness = product / np.sqrt(np.maximum(energies, QUIETEST * loudest) * energy)
    best = int(np.argmax(likeness))
    if likeness[best] < ALIKE:
        return None
    direct = _direct(product, best)
    gain_db = float(20 * np.log10(max(product[direct] / energy, 1e-9)))
    return Heard(at=_between(product, direct), likeness=float(likeness[best]), gain_db=gain_db)


def _correlated(heard: Samples, sought: Samples) -> NDArray[np.float64]:
    """Of either polarity, for each place where all of `sought` fits in."""
    size = 1 << (len(heard) + len(sought)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sought, size))
    return np.abs(np.fft.irfft(spectrum, size)[: len(heard) - len(sought) + 1])


def _direct(product: NDArray[np.float64], best: int) -> int:
    """The earliest peak that may be the sound that came straight. The chirp's own side lobes are lower."""
    start = max(1, best - EARLIER)
    peaks = [
        at
        for at in range(start, best)
        if product[at - 1] < product[at] >= product[at + 1] and product[at] > DIRECT * product[best]
    ]
    # The carrier makes a peak every 4 samples or so around the true one: those belong to it.
    early = [at for at in peaks if best - at > SAMPLE_RATE // 1000]
    if not early:
        return best
    cluster = product[early[0] : early[0] + SAMPLE_RATE // 1000]
    return early[0] + int(np.argmax(cluster))


def _between(product: NDArray[np.float64], peak: int) -> float:
    """The top of the parabola through the peak and its neighbours."""
    if not 0 < peak < len(product) - 1:
        return float(peak)
    before, top, after = (float(value) for value in product[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return peak + (0.5 * (before - after) / bend if bend else 0.0)


TORN = SAMPLE_RATE // 2000
"""0.5 ms more or less than the others between two chirps: sound was lost or filled in there."""


@frozen(kw_only=True)
class Drift:
    """`ppm`: by how much the microphone's clock is faster than the loudspeaker's; it is right within
    `within_ppm`; both None where the row of chirps was torn too often. `tears`: how often."""

    ppm: float | None
    within_ppm: float | None
    tears: int


def drift(played: Sequence[float], heard: Sequence[float]) -> Drift | None:
    """From where each chirp stood in the loudspeaker's stream, and in the microphone's. None: too few.

    The slope is the median of those between all pairs (Theil and Sen), after the tears were mended.
    """
    if len(played) < 3:
        return None
    x, y = np.asarray(played, np.float64), np.asarray(heard, np.float64)
    lengths, changes = np.diff(x), np.diff(y - x)
    usual = float(np.median(changes / lengths)) * lengths
    even = np.abs(changes - usual) < TORN
    tears = int(np.count_nonzero(~even))
    if tears * 2 >= len(even):
        return Drift(ppm=None, within_ppm=None, tears=tears)
    offsets = np.concatenate([[0.0], np.cumsum(np.where(even, changes, usual))])
    one, other = np.triu_indices(len(x), 1)
    slope = float(np.median((offsets[other] - offsets[one]) / (x[other] - x[one])))
    left = offsets - slope * x
    # A quarter of a sample is what the parabola leaves in a room with noise.
    within = max(0.25, float(np.std(left))) * 2 / float(np.sum(lengths[even]))
    return Drift(ppm=slope * 1e6, within_ppm=within * 1e6, tears=tears)


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
