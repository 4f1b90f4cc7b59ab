"""Windows through SoundCard's WASAPI.

Written from the source of SoundCard 0.4.6 (mediafoundation.py), not run: we had no Windows.
"""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable
from rtassist.audio.devices import Device, Kind
from rtassist.audio.progress import Progress

FRAGMENT_SAMPLES = 480
QUIET_S = 0.1
"""Some cards give nothing at all while it is silent; after this long it is filled in."""
LOOPBACK = ".monitor"


class Wasapi:
    def __init__(self, module: Any) -> None:
        """In the thread that is going to use it: COM is initialised for each thread, and SoundCard does
        it for the importing one alone.
        """
        self._module = module
        module._ole32.CoInitializeEx(module._ffi.NULL, 0)  # COINIT_MULTITHREADED; S_FALSE: it was already
        # "data discontinuity" on stderr would be drawn over the conversation.
        warnings.filterwarnings("ignore", category=module.SoundcardRuntimeWarning)

    def devices(self) -> tuple[Device, ...]:
        module = self._module
        defaults: dict[Kind, str | None] = {
            "microphone": _id_or_none(module.default_microphone),
            "speaker": _id_or_none(module.default_speaker),
        }
        there: list[tuple[Kind, Any]] = [("microphone", m) for m in module.all_microphones(True)]
        there += [("speaker", s) for s in module.all_speakers()]
        listed = []
        for kind, device in there:
            monitor = kind == "microphone" and device.isloopback
            listed.append(
                Device(
                    kind=kind,
                    id=device.id + LOOPBACK if monitor else device.id,
                    name=f"Monitor of {device.name}" if monitor else device.name,
                    default=not monitor and device.id == defaults[kind],
                    monitor=monitor,
                )
            )
        return tuple(listed)

    def open_microphone(self, device: Device) -> "WindowsCapture":
        for found in self._module.all_microphones(True):
            if found.id == device.id.removesuffix(LOOPBACK) and found.isloopback == device.monitor:
                return WindowsCapture(_entered(found.recorder, FRAGMENT_SAMPLES, device), device)
        raise SoundUnavailable(f"The microphone {device.name} is gone.")

    def open_speaker(self, device: Device, buffer_samples: int) -> "WindowsPlayback":
        for found in self._module.all_speakers():
            if found.id == device.id:
                player = _entered(found.player, buffer_samples, device)
                return WindowsPlayback(self._module, player, device, buffer_samples)
        raise SoundUnavailable(f"The speaker {device.name} is gone.")


def _id_or_none(default: Any) -> str | None:
    try:
        return str(default().id)
    except RuntimeError:  # there is no such device
        return None


def _entered(open_stream: Any, blocksize: int, device: Device) -> Any:
    try:
        # `channels` is given because asking a device for its own asserts on some.
        stream = open_stream(SAMPLE_RATE, channels=1, blocksize=blocksize)
        stream.__enter__()
    except (RuntimeError, AssertionError) as error:
        raise SoundUnavailable(f"The {device.kind} {device.name} cannot be opened: {error}.") from error
    return stream


@contextmanager
def _lost_when_it_fails(device: Device) -> Iterator[None]:
    """AUDCLNT_E_DEVICE_INVALIDATED and its kin come as RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        raise DeviceLost(f"the {device.kind} {device.name} is gone ({error})") from error


class WindowsCapture:
    def __init__(self, recorder: Any, device: Device) -> None:
        self._recorder = recorder
        self._device = device
        self._heard_s = time.monotonic()

    def read(self) -> NDArray[np.float32]:
        """SoundCard polls and invents silence by itself while nothing is there, so it is asked only when
        something is.
        """
        blocks = [np.zeros(0, dtype=np.float32)]
        with _lost_when_it_fails(self._device):
            while self._recorder._capture_available_frames():
                blocks.append(np.asarray(self._recorder._record_chunk(), dtype=np.float32))
        samples = np.concatenate(blocks)
        now_s = time.monotonic()
        if len(samples):
            self._heard_s = now_s
        elif now_s - self._heard_s > QUIET_S:
            samples = np.zeros(int((now_s - self._heard_s) * SAMPLE_RATE), dtype=np.float32)
            self._heard_s = now_s
        return samples

    def close(self) -> None:
        _close(self._recorder)


class WindowsPlayback:
    """Fills the device's buffer itself: SoundCard's `play` takes all free frames of the buffer for each
    block, and leaves stale sound behind the end of a shorter one (its issue 111).
    """

    def __init__(self, module: Any, player: Any, device: Device, buffer_samples: int) -> None:
        self._module = module
        self._player = player
        self._device = device
        self._progress = Progress(f"the {device.kind} {device.name}")
        self.written = 0
        self._ahead = 0
        self._silent_at = 0
        with _lost_when_it_fails(device):
            period_s, _ = player.deviceperiod
            self._period = int(period_s * SAMPLE_RATE)
            self.buffer_samples = min(int(player.buffersize), max(buffer_samples, 2 * self._period))
        self.reserve_samples = min(self.buffer_samples // 2, self._period + FRAGMENT_SAMPLES // 4)

    def room(self) -> int:
        with _lost_when_it_fails(self._device):
            self._ahead = int(self._player.currentpadding)
        self._progress.check(self.written - self._ahead)
        return max(0, self.buffer_samples - self._ahead)

    def ahead(self) -> int:
        return self._ahead

    def write(self, samples: NDArray[np.float32]) -> None:
        data = samples.astype(np.float32, copy=False).tobytes()
        with _lost_when_it_fails(self._device):
            buffer = self._player._render_buffer(len(samples))
            self._module._ffi.memmove(buffer[0], data, len(data))
            self._player._render_release(len(samples))
        self.written += len(samples)
        self._ahead += len(samples)

    def sounded(self) -> tuple[float, int] | None:
        """What is not in the buffer any more, less the period that the engine is playing."""
        with _lost_when_it_fails(self._device):
            padding = int(self._player.currentpadding)
        return time.monotonic(), self.written - padding - self._period

    def ran_dry_at(self) -> int | None:
        return None  # shared mode does not tell

    def flush(self) -> None:
        """IAudioClient::Reset drops what waits; it needs a stopped stream."""
        client = self._player._ptr
        table = client[0][0].lpVtbl
        with _lost_when_it_fails(self._device):
            self._silent_at = self.written - int(self._player.currentpadding)
            for call in (table.Stop, table.Reset, table.Start):
                self._module._com.check_error(call(client[0]))
        self._ahead = 0

    def rewritable(self) -> int | None:
        return None

    def rewrite(self, samples: NDArray[np.float32]) -> None:
        raise AssertionError("what is written stands here: `rewritable` gives None")

    def silent_at(self) -> int | None:
        return self._silent_at

    def close(self) -> None:
        _close(self._player)


def _close(stream: Any) -> None:
    with suppress(RuntimeError):  # a device that was unplugged cannot be stopped
        stream.__exit__(None, None, None)
