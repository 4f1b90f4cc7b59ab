"""Where speech begins and ends in one utterance, by loudness alone: silence around it spoils recognition."""

from __future__ import annotations

import math
from array import array
from operator import mul

RATE = 16_000
FRAME_SAMPLES = RATE // 50
_FRAME_BYTES = FRAME_SAMPLES * 2

# Speech begins where a frame is this much louder than the quietest so far.
_ONSET_DB = 15.0
# Silence that is left around speech. With 200 ms, or with 1 s, the means of the cepstra are no longer those
# of the acoustic model's training: of 268 sentences 246 and 239 were recognised, with 400 ms 256.
_MARGIN_FRAMES = 20
# The end of a word is at most this much quieter than the loudest vowel, and louder than the background by:
_QUIETEST_SPEECH_DB = 35.0
_OVER_BACKGROUND_DB = 6.0
# However loud the background is: speech is within this of its own loudest frames.
_SURELY_SPEECH_DB = 10.0


class Utterance:
    """PCM16 at 16 kHz, little-endian, as it comes. `most_s` of it is kept; what comes after is dropped."""

    def __init__(self, most_s: float) -> None:
        self.pcm = bytearray()
        self._most_bytes = int(most_s * RATE) * 2
        self._levels: list[float] = []
        self._quietest = math.inf
        self._onset: int | None = None

    def add(self, pcm: bytes) -> None:
        self.pcm += pcm[: max(0, self._most_bytes - len(self.pcm))]
        for frame in range(len(self._levels), len(self.pcm) // _FRAME_BYTES):
            level = _level_db(self.pcm[frame * _FRAME_BYTES : (frame + 1) * _FRAME_BYTES])
            self._levels.append(level)
            self._quietest = min(self._quietest, level)
            if self._onset is None and level - self._quietest >= _ONSET_DB:
                self._onset = frame

    @property
    def speech_frames(self) -> int:
        """Frames of 20 ms since the speech began; 0 before it did."""
        return 0 if self._onset is None else len(self._levels) - self._onset

    @property
    def beginning(self) -> int:
        """The byte with which the speech begins, as far as is known by now, and the margin before it."""
        return max(0, (self._onset or 0) - _MARGIN_FRAMES) * _FRAME_BYTES

    def trimmed(self) -> bytes:
        """The speech, from its first to its last loud frame, with the margins that are there. Everything, if
        nothing stands out."""
        if not self._levels:
            return bytes(self.pcm)
        ordered = sorted(self._levels)
        background = ordered[len(ordered) // 20]
        loudest = ordered[-1 - len(ordered) // 50]
        threshold = max(background + _OVER_BACKGROUND_DB, loudest - _QUIETEST_SPEECH_DB)
        threshold = min(threshold, loudest - _SURELY_SPEECH_DB)
        loud = [frame for frame, level in enumerate(self._levels) if level > threshold]
        if not loud:
            return bytes(self.pcm)
        first = max(0, loud[0] - _MARGIN_FRAMES) * _FRAME_BYTES
        return bytes(self.pcm[first : (loud[-1] + 1 + _MARGIN_FRAMES) * _FRAME_BYTES])


def _level_db(frame: bytes | bytearray) -> float:
    """RMS in dB over one step of 16 bits; digital silence is 0."""
    samples = array("h", bytes(frame))
    return 10 * math.log10(sum(map(mul, samples, samples)) / len(samples) + 1)
