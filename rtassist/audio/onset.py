"""Whether somebody seems to begin to speak: energy above the noise that there is, in five bands. Pure.

It has to be quick rather than sure, for what follows from it is taken back when nobody spoke. Behind an echo
canceller energy is the best there is, too: what is left of the assistant's voice is faint, and what is left
of the user's is chopped, so that detectors that know speech take longer to believe it. The figures are told
by `python -m tests.audio.onsets`.
"""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE

FRAME = SAMPLE_RATE // 100
"""10 ms: a period of the lowest voices."""
EDGES_HZ = (150, 500, 1000, 2000, 4000, 7500)
"""Hum and thumps are below, and nothing that tells speech from noise above; an s is in the last band."""
LEAST_DBFS = -60.0
"""In each band. A floor that is lower counts as this: what WebRTC's canceller leaves of a loud voice reaches
-50 now and then. Somebody who speaks at -40 dBFS is found 40 ms later for it."""
LEARNING_LEAST_DBFS = -50.0
LEARNING_SAMPLES = 2 * SAMPLE_RATE
"""While a voice is young: a canceller that an interruption has made new leaves up to -40 of it, for 0.1 s at
a time, until it has learnt the room, which takes up to 1.7 s."""
MARGIN_DB = 6.0
"""Noise rises this far above its mean in one frame of thirty in the lowest band, rarely in the others."""
TOP_DB = 12.0
FRAME_DB = 20.0
"""What one band and one frame can tell at most, beyond the margin: a click is not speech for being loud."""
LEAK_DB = 4.0
"""What each frame takes off: more than noise brings on average."""
NEEDED_DB = 35.0
"""Three loud frames, or more that are faint. With two, every key that is struck would be an onset."""
FALL_DB = 4.0
"""A frame that is so much fainter than one before it tells nothing: clicks die away, and speech begins faint:
it takes 60 ms to its loudness."""
PEAK_DECAY = 0.9
"""For each frame. Slower than a room's reverberation, which falls by 1 to 3 dB in 10 ms."""
FOLLOW = 0.03
"""The floor's share of each new frame of noise: it follows within 0.3 s."""
RISE = 1.005
"""In each frame that is no noise: after a fan was turned on, 2 dB a second."""
LEARNING_FRAMES = 30
"""All that a microphone hears in its first 0.3 s is taken for noise."""
QUIET_FRAMES = 30
"""0.3 s without speech, and what comes then is an onset again; gaps within words are shorter."""
SILENCE = 1e-10
"""The power of a muted or gated microphone, or of one that suppresses noise: no room is so quiet."""

LEAST_POWER, LEARNING_LEAST_POWER, MARGIN = (
    10 ** (db / 10) for db in (LEAST_DBFS, LEARNING_LEAST_DBFS, MARGIN_DB)
)

TOGETHER_BYTES = 2 * SAMPLE_RATE // 10

_WINDOW = np.hanning(FRAME + 1)[:-1].astype(np.float32)


def _bands() -> NDArray[np.float32]:
    """What makes of the squares of a frame's spectrum, real and imaginary parts in turns, the power in each
    band, full scale being 1."""
    hz = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)
    within = [(low <= hz) & (hz < high) for low, high in itertools.pairwise(EDGES_HZ)]
    scale = float(np.sum(_WINDOW**2)) * FRAME / 2 * 32768**2
    return np.repeat((np.array(within).T / scale).astype(np.float32), 2, axis=0)


_BANDS = _bands()


class OnsetWatch:
    """Listens to one microphone from its opening on, also while nothing sounds: so it knows the noise."""

    def __init__(self) -> None:
        self._rest = b""
        self._unheard = b""
        self._floor = [0.0] * (len(EDGES_HZ) - 1)
        self._frames = 0
        self._voice = 0  # samples of the voice since it began
        self._least = LEAST_POWER
        self._evidence = 0.0
        self._peak = 0.0
        self._speaking = False
        self._quiet = 0

    def follow(self, pcm: bytes) -> None:
        """The next chunk of PCM16, while there is no voice to be lowered: it tells of the noise. What is not
        urgent is done at once for several chunks, which costs a third."""
        self._unheard += pcm
        if len(self._unheard) >= TOGETHER_BYTES:
            self._catch_up()

    def _catch_up(self) -> None:
        pcm, self._unheard = self._unheard, b""
        self._voice, self._least = 0, LEAST_POWER
        self._onsets(pcm)

    def begins(self, pcm: bytes, *, voice: bool = False) -> bool:
        """Given the next chunk of PCM16: True once for each onset, with the chunk that shows it.

        `voice`: the assistant's is sounding.
        """
        if self._unheard:
            self._catch_up()
        self._voice = self._voice + len(pcm) // 2 if voice else 0
        self._least = LEARNING_LEAST_POWER if 0 < self._voice <= LEARNING_SAMPLES else LEAST_POWER
        return self._onsets(pcm) > 0

    def _onsets(self, pcm: bytes) -> int:
        pcm = self._rest + pcm
        whole = len(pcm) // (2 * FRAME) * (2 * FRAME)
        self._rest = pcm[whole:]
        return sum([self._hear(powers) for powers in _powers(pcm[:whole])])

    def _hear(self, powers: list[float]) -> bool:
        power = sum(powers)
        told = min(FRAME_DB, sum(map(self._above, powers, self._floor)))
        if power > SILENCE:
            self._learn(powers, noise=told <= LEAK_DB)
        self._quiet = self._quiet + 1 if told <= LEAK_DB else 0
        self._speaking = self._speaking and self._quiet < QUIET_FRAMES

        self._peak = max(self._peak * PEAK_DECAY, power)
        falls = power * 10 ** (FALL_DB / 10) < self._peak
        evidence = self._evidence + (0.0 if falls else told) - LEAK_DB
        self._evidence = min(max(0.0, evidence), NEEDED_DB)
        if self._speaking or falls or self._evidence < NEEDED_DB:
            return False
        self._speaking = True
        return True

    def _learn(self, powers: list[float], *, noise: bool) -> None:
        self._frames += 1
        follow = max(FOLLOW, 1 / self._frames)  # the mean, at first
        for band, (power, floor) in enumerate(zip(powers, self._floor, strict=True)):
            if noise or power <= floor or self._frames <= LEARNING_FRAMES:
                self._floor[band] += follow * (power - floor)
            else:
                self._floor[band] = min(power, floor * RISE)

    def _above(self, power: float, floor: float) -> float:
        """By how many decibels this band tells of more than noise."""
        over = power / max(floor, self._least)
        return min(10 * math.log10(over) - MARGIN_DB, TOP_DB) if over > MARGIN else 0.0


def _powers(pcm: bytes) -> list[list[float]]:
    """In each band, for each frame. A voice without a user leaves silence behind a canceller, mostly."""
    frames = len(pcm) // (2 * FRAME)
    if pcm.count(0) == len(pcm):
        return [[0.0] * _BANDS.shape[1]] * frames
    spectra = np.fft.rfft(np.frombuffer(pcm, "<i2").reshape(frames, FRAME) * _WINDOW)
    parts = spectra.astype(np.complex64, copy=False).view(np.float32)  # numpy 1 gives complex128
    powers: list[list[float]] = (np.square(parts) @ _BANDS).tolist()
    return powers
