"""macOS through SoundCard's CoreAudio.

Written from the source of SoundCard 0.4.6 (coreaudio.py), not run: we had no Mac.
"""

import time
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtassist.audio import SAMPLE_RATE, DeviceLost, SoundUnavailable
from rtassist.audio.devices import Device, Kind
from rtassist.audio.pcm import to_mono
from rtassist.audio.progress import Progress

FRAGMENT_SAMPLES = 480


class CoreAudio:
    def __init__(self, soundcard: Any) -> None:
        self._soundcard = soundcard

    def devices(self) -> tuple[Device, ...]:
        """CoreAudio numbers its devices; macOS has no monitors."""
        card = self._soundcard
        found: tuple[tuple[Kind, Any, Any], ...] = (
            ("microphone", card.all_microphones, card.default_microphone),
            ("speaker", card.all_speakers, card.default_speaker),
        )
        listed = []
        for kind, all_of, default_of in found:
            there = all_of()
            default = default_of().id if there else None
            listed += [Device(kind=kind, id=str(d.id), name=d.name, default=d.id == default) for d in there]
        return tuple(listed)

    def open_microphone(self, device: Device) -> "MacCapture":
        microphone = _same(self._soundcard.all_microphones(), device)
        return MacCapture(_entered(microphone.recorder, FRAGMENT_SAMPLES, device), device)

    def open_speaker(self, device: Device, buffer_samples: int) -> "MacPlayback":
        speaker = _same(self._soundcard.all_speakers(), device)
        return MacPlayback(_entered(speaker.player, FRAGMENT_SAMPLES, device), device, buffer_samples)


def _same(there: list[Any], device: Device) -> Any:
    for found in there:
        if str(found.id) == device.id:
            return found
    raise SoundUnavailable(f"The {device.kind} {device.name} is gone.")


def _entered(open_stream: Any, blocksize: int, device: Device) -> Any:
    """Many devices take blocks of 14 to 512 frames of their own rate only, and TypeError is what tells."""
    try:
        try:
            stream = open_stream(SAMPLE_RATE, channels=1, blocksize=blocksize)
        except TypeError:
            stream = open_stream(SAMPLE_RATE, channels=1)
        stream.__enter__()
    except (RuntimeError, AssertionError) as error:
        raise SoundUnavailable(f"The {device.kind} {device.name} cannot be opened: {error}.") from error
    return stream


class MacCapture:
    def __init__(self, recorder: Any, device: Device) -> None:
        self._recorder = recorder
        self._device = device
        self._progress = Progress(f"the {device.kind} {device.name}")
        self._samples = 0

    def read(self) -> NDArray[np.float32]:
        """SoundCard waits without end while the callback's queue is empty, so it is asked only when not."""
        blocks = [np.zeros(0, dtype=np.float32)]
        while self._recorder._queue:
            blocks.append(to_mono(np.asarray(self._recorder._record_chunk(), dtype=np.float32)))
        samples = np.concatenate(blocks)
        self._samples += len(samples)
        self._progress.check(self._samples)
        return samples

    def close(self) -> None:
        _close(self._recorder)


class MacPlayback:
    """CoreAudio's callback takes from a queue of SoundCard's, and fills in silence when it is empty."""

    def __init__(self, player: Any, device: Device, buffer_samples: int) -> None:
        self._player = player
        self._progress = Progress(f"the {device.kind} {device.name}")
        self._block = int(player._au.blocksize)
        self.written = 0
        self.buffer_samples = max(buffer_samples, 2 * self._block)
        self.reserve_samples = self._block
        self._ahead = 0
        self._silent_at = 0

    def room(self) -> int:
        self._ahead = self._queued()
        self._progress.check(self.written - self._ahead)
        return max(0, self.buffer_samples - self._ahead)

    def _queued(self) -> int:
        while True:
            try:
                return sum(len(block) for block in self._player._queue)
            except RuntimeError:  # the callback took a block while we counted
                continue

    def ahead(self) -> int:
        return self._ahead

    def write(self, samples: NDArray[np.float32]) -> None:
        try:
            self._player.play(samples.copy(), wait=False)  # it clips in place
        except RuntimeError as error:
            raise DeviceLost(str(error)) from error
        self.written += len(samples)
        self._ahead += len(samples)

    def sounded(self) -> tuple[float, int] | None:
        """The block that the callback took last sounds now; what the hardware adds is not known."""
        return time.monotonic(), self.written - self._queued() - self._block

    def ran_dry_at(self) -> int | None:
        return None  # the callback fills in silence and does not tell

    def flush(self) -> None:
        self._silent_at = self.written - self._queued()
        self._player._queue.clear()
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
