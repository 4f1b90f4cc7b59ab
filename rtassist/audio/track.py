"""What a loudspeaker's stream was given, and is given another way while the device has not taken it."""

import numpy as np

from rtassist.audio.devices import PlaybackStream
from rtassist.audio.envelope import RAMP_SAMPLES, Gain
from rtassist.audio.pcm import Samples, fade_in, fade_out

FADE_SAMPLES = 72
"""3 ms: the voice neither begins nor is cut with a click."""


class Track:
    """The voice and the silence in a stream, for the thread that owns it. Every call may raise DeviceLost.

    Where the stream can be rewritten, silence that is in it gives way to the voice, and a change of the gain
    and a flush reach what the device still holds.
    """

    def __init__(self, stream: PlaybackStream) -> None:
        self._stream = stream
        self._gain = Gain()
        self._kept = stream.buffer_samples + RAMP_SAMPLES
        self._sound = np.zeros(self._kept, np.float32)
        self._gains = np.ones(self._kept, np.float32)
        self._voice_end = stream.written
        self._cut = True

    def silence(self) -> int:
        """Samples at the end of the stream that the voice can take the place of."""
        return min(self._stream.written - self._voice_end, self._stream.rewritable() or 0)

    def speak(self, samples: Samples, back: int) -> None:
        """The voice goes on, from `back` samples before the stream's end: at most `silence`, just asked."""
        start = self._stream.written - back
        if self._cut or start > self._voice_end:
            samples = fade_in(samples, FADE_SAMPLES)
        self._cut = False
        self._voice_end = start + len(samples)
        if back:
            first = samples[:back]
            self._replace(np.pad(first, (0, back - len(first))))
        self._append(samples[back:])

    def pause(self, count: int) -> None:
        self._append(np.zeros(count, np.float32))

    def fade_to(self, gain: float) -> None:
        count = self._stream.rewritable() or 0
        self._gain.target = gain
        if count:
            self._gain.goes_on_from(float(self._gains[-count - 1]))
            self._gains[-count:] = self._gain.over(count)
            self._stream.rewrite(self._sound[-count:] * self._gains[-count:])

    def fade_out(self) -> int | None:
        """End the voice. The position up to which it is heard: the end of the fade. None: it could not."""
        count = self._stream.rewritable()
        if count is None:
            return None
        over = min(FADE_SAMPLES, count)
        if count:
            ending = fade_out(self._sound[-count:][:over], over)
            self._replace(np.pad(ending, (0, count - over)))
        self._cut = True
        self._voice_end = self._stream.written - count + over
        return self._voice_end

    def flush(self) -> None:
        self._stream.flush()
        self._cut = True
        self._voice_end = self._stream.written

    def _append(self, samples: Samples) -> None:
        if not len(samples):
            return
        gains = self._gain.over(len(samples))
        self._sound = np.concatenate([self._sound, samples])[-self._kept :]
        self._gains = np.concatenate([self._gains, gains])[-self._kept :]
        self._stream.write(samples * gains)

    def _replace(self, samples: Samples) -> None:
        """As many as are at the end of the stream."""
        self._sound[-len(samples) :] = samples
        self._stream.rewrite(samples * self._gains[-len(samples) :])
