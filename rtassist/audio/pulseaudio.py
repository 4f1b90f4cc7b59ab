"""PulseAudio, and PipeWire in its place, through SoundCard's binding of libpulse.

SoundCard's own `record` and `play` wait without end when the server is stopped, and swallow sound when
it is gone. These streams never wait: each call asks for the state first, and their thread paces itself.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from rtassist.audio import SoundUnavailable
from rtassist.audio.devices import Device, Kind
from rtassist.audio.pulse_capture import PulseCapture
from rtassist.audio.pulse_playback import PulsePlayback
from rtassist.audio.pulse_stream import PulseStream
from rtassist.audio.soundcard_shim import ANSWER_S, POLL_S

FRAGMENT_SAMPLES = 480
"""20 ms: on a busy machine the server gives 10 ms fragments in clumps of two."""
INVALID_INDEX = 2**32 - 1


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
        return PulseCapture(PulseStream(self._module, device, FRAGMENT_SAMPLES, self._stopping))

    def open_speaker(self, device: Device, buffer_samples: int) -> "PulsePlayback":
        return PulsePlayback(PulseStream(self._module, device, buffer_samples, self._stopping))
