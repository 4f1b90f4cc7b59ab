"""What a microphone of PulseAudio gives, without a wait."""

import numpy as np
from numpy.typing import NDArray

from rtassist.audio.pulse_stream import BYTES, ERROR, PulseStream

CHECKED_EVERY = 4
"""Looks in vain, 10 ms, are no reason to ask whether the microphone is still there."""
NOTHING = np.zeros(0, dtype=np.float32)


class PulseCapture:
    def __init__(self, stream: PulseStream) -> None:
        self._stream = stream
        self._samples = 0
        self._looked_in_vain = 0
        self._data, self._size = stream.ffi.new("void**"), stream.ffi.new("size_t*")

    def read(self) -> NDArray[np.float32]:
        stream, pa, ffi = self._stream, self._stream.pa, self._stream.ffi
        data, size = self._data, self._size
        fragments = []
        with stream:
            if pa.pa_stream_readable_size(stream.stream) == 0 and self._looked_in_vain < CHECKED_EVERY:
                self._looked_in_vain += 1
                return NOTHING
            self._looked_in_vain = 0
            stream.check()
            while pa.pa_stream_readable_size(stream.stream) not in (0, ERROR):
                pa.pa_stream_peek(stream.stream, data, size)
                if not size[0]:
                    break
                if data[0] == ffi.NULL:  # a hole: the server lost sound
                    fragments.append(np.zeros(size[0] // BYTES, dtype=np.float32))
                else:
                    fragments.append(np.frombuffer(ffi.buffer(data[0], size[0]), dtype=np.float32).copy())
                pa.pa_stream_drop(stream.stream)
        samples = fragments[0] if len(fragments) == 1 else np.concatenate([NOTHING, *fragments])
        self._samples += len(samples)
        stream.progress.check(self._samples)
        return samples

    def close(self) -> None:
        self._stream.close()
