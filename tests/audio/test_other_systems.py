"""The streams of systems that the tests do not run on, against stand-ins that keep to SoundCard's source."""

from collections import deque
from types import SimpleNamespace
from typing import Any

import cffi
import numpy as np
import pytest
from numpy.typing import NDArray

from rtassist.audio import DeviceLost, SoundUnavailable
from rtassist.audio.devices import Device, choose
from rtassist.audio.soundcard_mac import CoreAudio, MacCapture
from rtassist.audio.soundcard_windows import Wasapi


class MacStream:
    """coreaudio._Player and _Recorder: a queue that the callback of the device empties or fills."""

    def __init__(self, samplerate: int, channels: int, blocksize: int = 256) -> None:
        if blocksize > 400:
            raise TypeError("blocksize must be between 14 and 400")
        self._au = SimpleNamespace(blocksize=blocksize, channels=channels)
        self._queue: deque[NDArray[np.float32]] = deque()
        self.open: bool | None = None

    def __enter__(self) -> "MacStream":
        self.open = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.open = False
        raise RuntimeError("the device is gone")

    def play(self, data: NDArray[np.float32], wait: bool) -> None:
        assert not wait
        data[data > 1] = 1
        self._queue.append(data[:, None])

    def _record_chunk(self) -> NDArray[np.float32]:
        return self._queue.popleft()


def mac() -> tuple[CoreAudio, list[MacStream]]:
    opened: list[MacStream] = []

    def stream(*args: Any, **kwargs: Any) -> MacStream:
        opened.append(MacStream(*args, **kwargs))
        return opened[-1]

    def devices(*names: str) -> list[Any]:
        return [
            SimpleNamespace(id=40 + n, name=name, player=stream, recorder=stream)
            for n, name in enumerate(names)
        ]

    card = SimpleNamespace(
        all_microphones=lambda: devices("Internal", "USB"),
        default_microphone=lambda: devices("Internal", "USB")[1],
        all_speakers=lambda: devices("Internal"),
        default_speaker=lambda: devices("Internal")[0],
    )
    return CoreAudio(card), opened


def test_mac_devices() -> None:
    system, _ = mac()
    assert choose(system.devices(), "microphone", None).id == "41"
    assert choose(system.devices(), "speaker", None).name == "Internal"
    with pytest.raises(SoundUnavailable, match="is gone"):
        system.open_speaker(Device(kind="speaker", id="99", name="Old", default=False), 1200)


def test_mac_playback_counts_what_the_callback_took() -> None:
    system, opened = mac()
    speaker = system.open_speaker(choose(system.devices(), "speaker", None), 1200)
    assert speaker.room() == 1200
    loud = np.full(480, 1.5, dtype=np.float32)
    speaker.write(loud)
    assert loud[0] == 1.5  # clipped in a copy
    assert (speaker.room(), speaker.ahead(), speaker.written) == (720, 480, 480)
    sounded = speaker.sounded()
    assert sounded is not None
    assert sounded[1] == -256
    opened[0]._queue.clear()
    sounded = speaker.sounded()
    assert sounded is not None
    assert sounded[1] == 480 - 256
    speaker.write(np.zeros(100, dtype=np.float32))
    speaker.flush()
    assert (speaker.room(), speaker.ahead(), speaker.written) == (1200, 0, 580)
    speaker.close()
    assert opened[0].open is False


def test_mac_capture_takes_what_is_there_and_never_waits() -> None:
    system, opened = mac()
    microphone = system.open_microphone(choose(system.devices(), "microphone", None))
    assert isinstance(microphone, MacCapture)
    assert len(microphone.read()) == 0
    opened[0]._queue.extend([np.ones((3, 1), np.float32), np.zeros((2, 1), np.float32)])
    assert microphone.read().tolist() == [1, 1, 1, 0, 0]


class WindowsStream:
    """mediafoundation._Player and _Recorder, with the few calls of WASAPI that count."""

    def __init__(self, samplerate: int, channels: int, blocksize: int) -> None:
        self.ffi = cffi.FFI()
        self.deviceperiod = (0.01, 0.003)
        self.buffersize = 1056
        self.currentpadding = 0
        self.packets: list[list[float]] = []
        self.calls: list[str] = []
        self.gone = False
        table = SimpleNamespace(**{name: self.call(name) for name in ("Stop", "Reset", "Start")})
        self._ptr = [[SimpleNamespace(lpVtbl=table)]]

    def __enter__(self) -> "WindowsStream":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.calls.append("closed")

    def call(self, name: str) -> Any:
        def called(client: object) -> int:
            self.calls.append(name)
            self.currentpadding *= name != "Reset"
            return 0

        return called

    def _render_buffer(self, frames: int) -> Any:
        if self.gone:
            raise RuntimeError("Error 0x88890004")
        assert frames <= self.buffersize - self.currentpadding
        self.rendered = self.ffi.new("float[]", frames)
        return [self.rendered]

    def _render_release(self, frames: int) -> None:
        self.currentpadding += frames

    def _capture_available_frames(self) -> int:
        if self.gone:
            raise RuntimeError("Error 0x88890004")
        return len(self.packets[0]) if self.packets else 0

    def _record_chunk(self) -> NDArray[np.float32]:
        return np.array(self.packets.pop(0), dtype=np.float32)


def windows() -> tuple[Wasapi, list[WindowsStream]]:
    opened: list[WindowsStream] = []

    def stream(*args: Any, **kwargs: Any) -> WindowsStream:
        opened.append(WindowsStream(*args, **kwargs))
        return opened[-1]

    def device(id: str, *, isloopback: bool = False) -> Any:
        return SimpleNamespace(id=id, name=id.title(), isloopback=isloopback, player=stream, recorder=stream)

    def no_microphone() -> Any:
        raise RuntimeError("Error 0x80070490")

    def check_error(result: int) -> None:
        assert result == 0

    ffi = cffi.FFI()
    module = SimpleNamespace(
        SoundcardRuntimeWarning=RuntimeWarning,
        _ffi=ffi,
        _ole32=SimpleNamespace(CoInitializeEx=lambda reserved, mode: 1),
        _com=SimpleNamespace(check_error=check_error),
        all_microphones=lambda loopback: [device("speakers", isloopback=True), device("array")],
        default_microphone=no_microphone,
        all_speakers=lambda: [device("speakers")],
        default_speaker=lambda: device("speakers"),
    )
    return Wasapi(module), opened


def test_windows_devices() -> None:
    system, _ = windows()
    there = system.devices()
    assert [(d.kind, d.id, d.default, d.monitor) for d in there] == [
        ("microphone", "speakers.monitor", False, True),
        ("microphone", "array", False, False),
        ("speaker", "speakers", True, False),
    ]
    assert choose(there, "microphone", None).id == "array"


def test_windows_playback_writes_what_it_has_and_no_more() -> None:
    system, opened = windows()
    speaker = system.open_speaker(choose(system.devices(), "speaker", None), 960)
    assert speaker.room() == 960
    speaker.write(np.array([0.5, -0.5], dtype=np.float32))
    assert list(opened[0].rendered) == [0.5, -0.5]
    assert (speaker.room(), speaker.ahead(), speaker.written) == (958, 2, 2)
    opened[0].currentpadding = 0
    sounded = speaker.sounded()
    assert sounded is not None
    assert sounded[1] == 2 - 240
    speaker.write(np.zeros(480, dtype=np.float32))
    speaker.flush()
    assert opened[0].calls == ["Stop", "Reset", "Start"]
    assert (speaker.room(), speaker.written) == (960, 482)
    opened[0].gone = True
    with pytest.raises(DeviceLost, match="the speaker Speakers is gone"):
        speaker.write(np.zeros(1, dtype=np.float32))
    speaker.close()


def test_windows_capture() -> None:
    system, opened = windows()
    microphone = system.open_microphone(choose(system.devices(), "microphone", "array"))
    opened[0].packets = [[0.25, 0.5], [1.0]]
    assert microphone.read().tolist() == [0.25, 0.5, 1.0]
    assert len(microphone.read()) == 0
    opened[0].gone = True
    with pytest.raises(DeviceLost, match="the microphone Array is gone"):
        microphone.read()
    microphone.close()
    assert opened[0].calls == ["closed"]
