"""A loudspeaker of PulseAudio: what it holds, where it is, and what can be taken back of it."""

import time

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE, DeviceLost
from rtassist.audio.far_end import Line, place
from rtassist.audio.pulse_stream import BYTES, ERROR, PulseStream

LATE_SAMPLES = 120
"""5 ms: how late our thread may be back."""
UNDER_WAY_SAMPLES = 144
"""6 ms: what is rewritten must reach the server before it takes it. 4 were not enough once in thirty times
on a machine with twice as much to do as it can.
"""
DEEP_SAMPLES, DEEP_RESERVE_SAMPLES = 160 * SAMPLE_RATE // 1000, 1623
"""160 ms and 67.6 ms: beyond what the server asks for, where it can be rewritten. The sink's own latency
stays as it is. So the thread wakes up 11 times a second in place of 44. The difference, 92.4 ms, is no
multiple of any period that a device has, nor near one: reports that come always at the same place within a
period of 10 or 20 ms would not show how far the server has got.
"""
CERTAIN_REPORTS = 20
"""Before so many of them, half a second, it is not sure what can be rewritten."""
TAKEN_WINDOW = 3 * SAMPLE_RATE
"""Some 30 reports: within a period of 20 ms they leave no gap of more than 2 ms."""
HEARD_OF_S = 0.4
"""Where the server is, is known from reports that are not older. They come every 20 to 100 ms, and tell of a
moment as long before. A server that stands still meanwhile has taken less than is thought."""


class PulsePlayback:
    def __init__(self, stream: PulseStream) -> None:
        self._stream = stream
        self.written = 0
        self._ahead = 0
        self._underflow_at = self._underflow_told = -1
        self._measured_at = (0, 0)
        self._told = 0  # taken, as of the last report
        self._taken, self._reports, self._heard_of_s = Line(TAKEN_WINDOW), 0, 0.0
        self._flush_asked_s = 0.0
        self._flushed_before = 0
        self._flushed = 0  # samples that our positions are ahead of the server's, which forgets what it drops
        with stream:
            attributes = stream.pa.pa_stream_get_buffer_attr(stream.stream)
            self._asked_for = attributes.tlength // BYTES
            # The server takes a minimal request at a time.
            self._least_reserve = min(self._asked_for // 2, attributes.minreq // BYTES + LATE_SAMPLES)
        self.buffer_samples = max(DEEP_SAMPLES, self._asked_for)
        self.reserve_samples = self._least_reserve

    def room(self) -> int:
        stream, pa = self._stream, self._stream.pa
        with stream:
            stream.check()
            writable = pa.pa_stream_writable_size(stream.stream)
        if writable == ERROR:
            raise DeviceLost("the speaker takes nothing any more")
        room = int(writable) // BYTES
        # What is written beyond what was asked for tells nothing of a server that stands still.
        stream.progress.check(self._told + (self.written - self._asked_for + room if room else 0))
        self._ahead = max(0, self._asked_for - room)
        self.reserve_samples = self._least_reserve
        if self._reports < CERTAIN_REPORTS:
            return room
        if not room:  # it is not told how much beyond that; the line holds without news, too
            taken = place(time.monotonic()) - self._taken.origin()
            self._ahead = max(self._ahead, min(self.written - taken, self.buffer_samples))
        if self._taken_by_now() is None:
            return room
        self.reserve_samples = DEEP_RESERVE_SAMPLES
        return int(self.buffer_samples - self._ahead)

    def ahead(self) -> int:
        return self._ahead

    def write(self, samples: NDArray[np.float32]) -> None:
        self._write(samples, 0)
        self.written += len(samples)
        self._ahead += len(samples)

    def _write(self, samples: NDArray[np.float32], back: int) -> None:
        """From `back` samples before the end on."""
        stream, pa, ffi = self._stream, self._stream.pa, self._stream.ffi
        data = samples.astype(np.float32, copy=False).tobytes()
        with stream:
            if pa.pa_stream_write(
                stream.stream, data, len(data), ffi.NULL, -back * BYTES, pa.PA_SEEK_RELATIVE
            ):
                stream.check()  # it may have gone since `room` looked: then the reason is known
                raise DeviceLost("the speaker takes nothing any more")

    def sounded(self) -> tuple[float, int] | None:
        """From the server's last report; asks for the next one without waiting for it (0.2 to 1.6 ms).

        What sounds is what the server has taken from the stream's buffer, less what the sink still
        holds (libpulse, pa_stream_get_time).
        """
        stream, pa, ffi = self._stream, self._stream.pa, self._stream.ffi
        with stream:
            info = pa.pa_stream_get_timing_info(stream.stream)
            stream.forget(pa.pa_stream_update_timing_info(stream.stream, ffi.NULL, ffi.NULL))
            self._underflow_at = pa.pa_stream_get_underflow_index(stream.stream)
            if info == ffi.NULL or info.write_index_corrupt or info.read_index_corrupt:
                return None
            measured_at = (info.timestamp.tv_sec, info.timestamp.tv_usec)
            self._flushed = self.written - info.write_index // BYTES
            waiting = (info.write_index - info.read_index) // BYTES
            in_sink = int(info.sink_usec) * SAMPLE_RATE // 1_000_000
            playing = bool(info.playing)
        if measured_at == self._measured_at:
            return None
        self._measured_at = measured_at
        # A report that is older than this, or from the future, comes from a clock that was set.
        age_s = time.time() - measured_at[0] - measured_at[1] / 1e6
        in_time = playing and 0 <= age_s <= HEARD_OF_S
        age_s = min(max(age_s, 0.0), HEARD_OF_S) if playing else 0.0
        at_s, taken = time.monotonic() - age_s, self.written - waiting
        self._told = taken
        if in_time:
            self._taken.report(place(at_s), taken)
            self._reports += 1
            self._heard_of_s = at_s
        return at_s, taken - in_sink

    def ran_dry_at(self) -> int | None:
        """As of the last `sounded`."""
        if self._underflow_at == self._underflow_told:
            return None
        self._underflow_told = self._underflow_at
        self._forget_taken()
        return self._underflow_at // BYTES + self._flushed

    def rewritable(self) -> int | None:
        """The server takes from the stream's buffer in steps of 10 to 20 ms, and after each it stands on a
        line that rises with the clock (seen to 0.4 ms): before, it is below.
        """
        taken = self._taken_by_now()
        if taken is None:
            return None
        return min(max(0, self.written - taken - UNDER_WAY_SAMPLES), self._ahead)

    def _taken_by_now(self) -> int | None:
        """At the most, as far as it is known."""
        now_s = time.monotonic()
        if now_s - self._heard_of_s > HEARD_OF_S:
            return None
        return place(now_s) - self._taken.origin()

    def _forget_taken(self) -> None:
        self._taken, self._reports, self._heard_of_s = Line(TAKEN_WINDOW), 0, 0.0

    def rewrite(self, samples: NDArray[np.float32]) -> None:
        """The server holds what lies behind its read index to be overwritten (libpulse, pa_stream_write with
        an offset). What is asked for from us stays the same, as the offset is counted with the length.
        """
        self._write(samples, len(samples))

    def flush(self) -> None:
        """Corked meanwhile: PipeWire's own flush alone lets up to 27 ms more be heard."""
        stream, pa, ffi = self._stream, self._stream.pa, self._stream.ffi
        with stream:
            stream.check()
            self._flush_asked_s = time.time()
            self._flushed_before = self._flushed
            for operation in (
                pa.pa_stream_cork(stream.stream, 1, ffi.NULL, ffi.NULL),
                pa.pa_stream_flush(stream.stream, ffi.NULL, ffi.NULL),
                pa.pa_stream_update_timing_info(stream.stream, ffi.NULL, ffi.NULL),
                pa.pa_stream_cork(stream.stream, 0, ffi.NULL, ffi.NULL),
            ):
                stream.forget(operation)
        self._ahead = 0
        self._forget_taken()

    def silent_at(self) -> int | None:
        """The server's read index after the flush: corking has taken back what the sink could give back."""
        stream, pa, ffi = self._stream, self._stream.pa, self._stream.ffi
        with stream:
            info = pa.pa_stream_get_timing_info(stream.stream)
            if info == ffi.NULL or info.write_index_corrupt or info.read_index_corrupt:
                return None
            if info.timestamp.tv_sec + info.timestamp.tv_usec / 1e6 < self._flush_asked_s:
                return None
            return int(info.read_index) // BYTES + self._flushed_before

    def close(self) -> None:
        self._stream.close()
