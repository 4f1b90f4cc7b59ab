"""A stream of PulseAudio, through SoundCard's binding of libpulse; PipeWire speaks the same."""

import threading
import time
from typing import Any

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable
from rtassist.audio.devices import Device
from rtassist.audio.progress import Progress
from rtassist.audio.soundcard_shim import ANSWER_S, POLL_S

BYTES = 4
"""A sample on the wire to the server: float32."""
PREBUFFER_SAMPLES = 240
"""Playing starts, and starts again after an underrun, with 10 ms. Less than this is never played alone."""
RESUMING_S = 1.0
"""A device that sleeps because nobody used it wakes up in milliseconds; one that is suspended does not."""
ERROR = 2**64 - 1
"""What the size functions return for -1."""
NOWHERE = b"auto_null"
"""module-always-sink puts streams there when the last real sink is gone."""


class PulseStream:
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
