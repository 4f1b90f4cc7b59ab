"""SoundCard, imported when it is needed and kept from aborting, hanging or leaking."""

import atexit
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rtassist.audio import SoundUnavailable
from rtassist.audio.devices import SoundSystem

ANSWER_S = 3.0
"""How long a sound server may take to answer; a healthy one needs a few milliseconds."""
POLL_S = 0.002

_importing = threading.Lock()

EXTRA_CDEF = """
const char *pa_strerror(int error);
pa_operation* pa_stream_flush(pa_stream *s, pa_stream_success_cb_t cb, void *userdata);
const char *pa_stream_get_device_name(const pa_stream *s);
int64_t pa_stream_get_underflow_index(const pa_stream *p);
int pa_stream_is_suspended(const pa_stream *s);
void pa_operation_cancel(pa_operation *o);
struct timeval { long tv_sec; long tv_usec; };
typedef struct pa_timing_info {
    struct timeval timestamp;
    int synchronized_clocks;
    pa_usec_t sink_usec;
    pa_usec_t source_usec;
    pa_usec_t transport_usec;
    int playing;
    int write_index_corrupt;
    int64_t write_index;
    int read_index_corrupt;
    int64_t read_index;
    pa_usec_t configured_sink_usec;
    pa_usec_t configured_source_usec;
    int64_t since_underrun;
} pa_timing_info;
const pa_timing_info* pa_stream_get_timing_info(pa_stream *s);
"""
"""What SoundCard 0.4.6 does not declare, from libpulse's headers context.h, stream.h, operation.h,
def.h and error.h."""


def sound_system(stopping: threading.Event) -> SoundSystem:
    """The sound system of this machine. Blocks: for 0.3 s at the first call, and with a PulseAudio
    server that accepts and says nothing for 30 s. Once `stopping` is set, what waits gives up.
    Raises SoundUnavailable.
    """
    if sys.platform == "darwin":
        from rtassist.audio.soundcard_mac import CoreAudio

        return CoreAudio(_imported("soundcard.coreaudio"))
    elif sys.platform == "win32":
        from rtassist.audio.soundcard_windows import Wasapi

        return Wasapi(_imported("soundcard.mediafoundation"))
    else:
        from rtassist.audio.pulseaudio import PulseAudio

        return PulseAudio(_connected(stopping), stopping)


def _imported(name: str) -> Any:
    try:
        with _importing, _an_argv_that_soundcard_can_read():
            return __import__(name, fromlist=["_"])
    except AssertionError as error:  # soundcard/pulseaudio.py, _PulseAudio.__init__: not READY
        _free_failed_connection(error.__traceback__)
        raise SoundUnavailable(_no_server()) from error
    except Exception as error:  # OSError: no libpulse. Elsewhere: COM, CoreAudio
        raise SoundUnavailable(f"Sound cannot be used on this machine: {error}.{HINT}") from error


HINT = (
    " On Linux the PulseAudio library is needed (Debian: libpulse0, Fedora: pulseaudio-libs)."
    if sys.platform == "linux"
    else ""
)
NO_SERVER = (
    "No sound server answers. Start PulseAudio or PipeWire (for example `pulseaudio --start`), "
    "or use files, pipes or text."
)


def _no_server() -> str:
    """Whether it is our right to connect that is missing; libpulse says "connection refused" to that, too."""
    runtime = os.environ.get("PULSE_RUNTIME_PATH") or f"{os.environ.get('XDG_RUNTIME_DIR', '')}/pulse"
    address = os.environ.get("PULSE_SERVER") or f"unix:{runtime}/native"
    path = address.removeprefix("unix:")
    if path.startswith("/") and os.path.exists(path) and not os.access(path, os.W_OK):
        return (
            f"You have no permission to use the sound server at {path}. Start rtassist as the user whose "
            "desktop it is, without sudo, or use files, pipes or text."
        )
    return NO_SERVER


@contextmanager
def _an_argv_that_soundcard_can_read() -> Iterator[None]:
    """It takes the program's name from sys.argv[1] under -c and -m, also when there is none."""
    argv = sys.argv
    if len(argv) < 2 and argv[:1] in ([], ["-c"], ["-m"]):
        sys.argv = ["rtassist"]
    try:
        yield
    finally:
        sys.argv = argv


def _free_failed_connection(traceback: TracebackType | None) -> None:
    """A failed import leaves a native thread running; whoever looks for a server again and again
    would collect thousands. The half-made connection is in the frame that asserted.
    """
    while traceback is not None:
        failed = traceback.tb_frame.f_locals.get("self")
        if type(failed).__name__ == "_PulseAudio":
            _free(traceback.tb_frame.f_globals["_pa"], failed)
            return
        traceback = traceback.tb_next


def _connected(stopping: threading.Event) -> Any:
    """`soundcard.pulseaudio` with a connection to the server that is the user's now."""
    module = _imported("soundcard.pulseaudio")
    with _importing:
        if not hasattr(module, "_rtassist_server"):
            _prepare(module)
        if _is_ready(module) and module._rtassist_server == os.environ.get("PULSE_SERVER"):
            return module
        module._pulse = _connect(module, stopping)
        module._rtassist_server = os.environ.get("PULSE_SERVER")
        return module


def _prepare(module: Any) -> None:
    """Once, after the import."""
    module._ffi.cdef(EXTRA_CDEF)
    plain_unref = module._PulseAudio._pa_operation_unref

    def unref(pulse: Any, operation: Any) -> None:
        if operation != module._ffi.NULL:  # on a lost connection there is none, and unref would abort
            plain_unref(pulse, operation)

    module._PulseAudio._pa_operation_unref = unref
    # It would free the connection while a thread that was left behind may still use it. The server
    # cleans up by itself when the process is gone.
    atexit.unregister(module._pulse._shutdown)
    module._rtassist_server = os.environ.get("PULSE_SERVER")


def _is_ready(module: Any) -> bool:
    return bool(module._pulse._pa_context_get_state(module._pulse.context) == module._pa.PA_CONTEXT_READY)


def _connect(module: Any, stopping: threading.Event) -> Any:
    """A new connection, as _PulseAudio.__init__ makes it, but with a deadline, and under `python -O` too.

    The old one is left alone: streams that are open on it may not be closed yet.
    """
    pa = module._pa
    pulse = module._PulseAudio.__new__(module._PulseAudio)
    pulse.mainloop = pa.pa_threaded_mainloop_new()
    pulse.mainloop_api = pa.pa_threaded_mainloop_get_api(pulse.mainloop)
    pulse.context = pa.pa_context_new(pulse.mainloop_api, b"rtassist")
    pa.pa_context_connect(pulse.context, module._ffi.NULL, pa.PA_CONTEXT_NOFLAGS, module._ffi.NULL)
    pa.pa_threaded_mainloop_start(pulse.mainloop)
    give_up_s = time.monotonic() + ANSWER_S
    ended = (pa.PA_CONTEXT_READY, pa.PA_CONTEXT_FAILED, pa.PA_CONTEXT_TERMINATED)
    while (state := pulse._pa_context_get_state(pulse.context)) not in ended:
        if time.monotonic() > give_up_s or stopping.wait(POLL_S):
            break
    if state != pa.PA_CONTEXT_READY:
        _free(pa, pulse)
        raise SoundUnavailable(_no_server())
    return pulse


def _free(pa: Any, pulse: Any) -> None:
    pa.pa_threaded_mainloop_stop(pulse.mainloop)
    pa.pa_context_disconnect(pulse.context)
    pa.pa_context_unref(pulse.context)
    pa.pa_threaded_mainloop_free(pulse.mainloop)
