"""PulseAudio, and PipeWire in its place, through SoundCard's binding of libpulse.

SoundCard's own `record` and `play` wait without end when the server is stopped, and swallow sound when
it is gone. These streams never wait: each call asks for the state first, and their thread paces itself.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable
from rtassist.audio.devices import Device, Kind
from rtassist.audio.far_end import Line, place
from rtassist.audio.progress import Progress
from rtassist.audio.soundcard_shim import ANSWER_S, POLL_S

BYTES = 4
"""A sample on the wire to the server: float32."""
FRAGMENT_SAMPLES = 480
"""20 ms: on a busy machine the server gives 10 ms fragments in clumps of two."""
CHECKED_EVERY = 4
"""Looks in vain, 10 ms, are no reason to ask whether the microphone is still there."""
NOTHING = np.zeros(0, dtype=np.float32)
PREBUFFER_SAMPLES = 240
"""Playing starts, and starts again after an underrun, with 10 ms. Less than this is never played alone."""
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
RESUMING_S = 1.0
"""A device that sleeps because nobody used it wakes up in milliseconds; one that is suspended does not."""
ERROR = 2**64 - 1
"""What the size functions return for -1."""
INVALID_INDEX = 2**32 - 1
NOWHERE = b"auto_null"
"""module-always-sink puts streams there when the last real sink is gone."""


class PulseAudio:
    """`stopping`: when set, what waits for the server gives up."""

    def __init__(self, module: Any, stopping: threading.Event) -> None:
        self._module = module
        self._stopping = stopping

    def devices(self) -> tuple[Device, ...]:
        ffi, pa, context = self._module._ffi, self._module._pa, self._module._pulse.context
        found: list[tuple[Kind, str, str, bool, int, int]] = []
        defaults: dict[Kind, str] = {}

        def text(chars: Any) -> str:
            return "" if chars == ffi.NULL else ffi.string(chars).decode("utf-8", "replace")

        @ffi.callback("pa_source_info_cb_t")  # type: ignore[untyped-decorator]  # cffi has no types
        def on_source(context: Any, info: Any, eol: int, userdata: Any) -> None:
            if not eol:
                monitor = info.monitor_of_sink != INVALID_INDEX
                spec = info.sample_spec
                found.append(
                    ("microphone", text(info.name), text(info.description), monitor, spec.channels, spec.rate)
                )

        @ffi.callback("pa_sink_info_cb_t")  # type: ignore[untyped-decorator]  # cffi has no types
        def on_sink(context: Any, info: Any, eol: int, userdata: Any) -> None:
            if not eol:
                spec = info.sample_spec
                found.append(
                    ("speaker", text(info.name), text(info.description), False, spec.channels, spec.rate)
                )

        @ffi.callback("pa_server_info_cb_t")  # type: ignore[untyped-decorator]  # cffi has no types
        def on_server(context: Any, info: Any, userdata: Any) -> None:
            defaults["microphone"] = text(info.default_source_name)
            defaults["speaker"] = text(info.default_sink_name)

        self._ask(lambda: pa.pa_context_get_source_info_list(context, on_source, ffi.NULL))
        self._ask(lambda: pa.pa_context_get_sink_info_list(context, on_sink, ffi.NULL))
        self._ask(lambda: pa.pa_context_get_server_info(context, on_server, ffi.NULL))
        return tuple(
            Device(
                kind=kind,
                id=id,
                name=name or id,
                default=defaults.get(kind) == id,
                monitor=monitor,
                channels=channels,
                rate_hz=rate_hz,
            )
            for kind, id, name, monitor, channels, rate_hz in found
        )

    def _ask(self, start: Callable[[], Any]) -> None:
        """Wait for an operation; a server that does not answer must not keep the thread for ever."""
        pa, pulse = self._module._pa, self._module._pulse
        give_up_s = time.monotonic() + ANSWER_S
        with pulse._lock_mainloop():
            operation = start()
        if operation == self._module._ffi.NULL:
            raise SoundUnavailable("The sound server is gone.")
        while (state := pulse._pa_operation_get_state(operation)) == pa.PA_OPERATION_RUNNING:
            if time.monotonic() > give_up_s or self._stopping.wait(POLL_S):
                break
        with pulse._lock_mainloop():
            pa.pa_operation_cancel(operation)  # or it would call back into what is freed by then
            pa.pa_operation_unref(operation)
        if state != pa.PA_OPERATION_DONE:
            raise SoundUnavailable("The sound server does not answer.")

    def open_microphone(self, device: Device) -> "PulseCapture":
        return PulseCapture(_Stream(self._module, device, FRAGMENT_SAMPLES, self._stopping))

    def open_speaker(self, device: Device, buffer_samples: int) -> "PulsePlayback":
        return PulsePlayback(_Stream(self._module, device, buffer_samples, self._stopping))


class _Stream:
    """A connected stream of mono float32 at 24 kHz; the server mixes and resamples.

    The connection is kept for life: SoundCard's own may be replaced after a server was lost.
    """

    def __init__(self, module: Any, device: Device, buffer_samples: int, stopping: threading.Event) -> None:
        self.pa, self.ffi, self._pulse = module._pa, module._ffi, module._pulse
        self._device = device
        self._expected_name = device.id.encode()
        self.progress = Progress(f"the {device.kind} {device.name}")
        ffi, pa = self.ffi, self.pa
        spec = ffi.new(
            "pa_sample_spec*", {"format": pa.PA_SAMPLE_FLOAT32LE, "rate": SAMPLE_RATE, "channels": 1}
        )
        with self:
            self.stream = pa.pa_stream_new(self._pulse.context, b"rtassist", spec, ffi.NULL)
            if self.stream == ffi.NULL:
                raise SoundUnavailable(f"The {device.kind} {device.name} cannot be opened: {self._why()}.")
            attributes = ffi.new("pa_buffer_attr*")
            attributes.maxlength = attributes.minreq = 2**32 - 1
            attributes.tlength = attributes.fragsize = buffer_samples * BYTES
            attributes.prebuf = PREBUFFER_SAMPLES * BYTES
            flags, id = pa.PA_STREAM_ADJUST_LATENCY, device.id.encode()
            if device.kind == "speaker":
                pa.pa_stream_connect_playback(self.stream, id, attributes, flags, ffi.NULL, ffi.NULL)
            else:
                pa.pa_stream_connect_record(self.stream, id, attributes, flags)
        self._wait_until_ready(stopping)

    def __enter__(self) -> None:
        """The stream is its own lock: held for every call into libpulse. (SoundCard makes a class for
        each time that it locks, which costs more than all the rest.)
        """
        self.pa.pa_threaded_mainloop_lock(self._pulse.mainloop)

    def __exit__(self, *exc_info: object) -> None:
        self.pa.pa_threaded_mainloop_unlock(self._pulse.mainloop)

    def _wait_until_ready(self, stopping: threading.Event) -> None:
        give_up_s = time.monotonic() + ANSWER_S
        resumed_by_s = time.monotonic() + RESUMING_S
        while True:
            with self:
                state = self.pa.pa_stream_get_state(self.stream)
                ready = state == self.pa.PA_STREAM_READY
                suspended = ready and self.pa.pa_stream_is_suspended(self.stream)
                why = self._why()
            if ready and not suspended:
                return
            late = stopping.wait(POLL_S) or time.monotonic() > (resumed_by_s if suspended else give_up_s)
            if late or state in (self.pa.PA_STREAM_FAILED, self.pa.PA_STREAM_TERMINATED):
                self.close()
                reason = (
                    why if not late else "it is suspended" if suspended else "no answer from the sound server"
                )
                kind, name = self._device.kind, self._device.name
                raise SoundUnavailable(f"The {kind} {name} cannot be opened: {reason}.")

    def _why(self) -> str:
        error = self.pa.pa_strerror(self.pa.pa_context_errno(self._pulse.context))
        return str(self.ffi.string(error).decode("utf-8", "replace")).lower()

    def check(self) -> None:
        """Locked. Raises DeviceLost when the stream does not run, or runs elsewhere."""
        if self.pa.pa_context_get_state(self._pulse.context) != self.pa.PA_CONTEXT_READY:
            raise DeviceLost("the sound server is gone")
        if self.pa.pa_stream_get_state(self.stream) != self.pa.PA_STREAM_READY:
            raise DeviceLost(f"the {self._device.kind} {self._device.name} is gone")
        # With a running stream it is not suspended for idleness, but by the user or for another session.
        if self.pa.pa_stream_is_suspended(self.stream) == 1:
            raise DeviceLost(f"the {self._device.kind} {self._device.name} is suspended")
        # Another real device, chosen by the user or by the system, is opened anew and told; the speaker's
        # monitor as a microphone would let the assistant hear itself.
        chars = self.pa.pa_stream_get_device_name(self.stream)
        name = b"" if chars == self.ffi.NULL else self.ffi.string(chars)
        if name != self._expected_name:
            if not name or name == NOWHERE or name.endswith(b".monitor"):
                raise DeviceLost(f"the {self._device.kind} {self._device.name} is gone")
            reason = f"the sound system moved it from {self._device.name}"
            raise DeviceLost(reason, moved_to=name.decode("utf-8", "replace"))

    def forget(self, operation: Any) -> None:
        """Locked. Let an operation finish by itself; a lost connection gives none."""
        if operation != self.ffi.NULL:
            self.pa.pa_operation_unref(operation)

    def close(self) -> None:
        """At once; SoundCard's own closing would play out what is left, or wait for ever."""
        with self:
            if self.pa.pa_stream_get_state(self.stream) == self.pa.PA_STREAM_READY:
                self.pa.pa_stream_disconnect(self.stream)
            self.pa.pa_stream_unref(self.stream)


class PulseCapture:
    def __init__(self, stream: _Stream) -> None:
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


class PulsePlayback:
    def __init__(self, stream: _Stream) -> None:
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
