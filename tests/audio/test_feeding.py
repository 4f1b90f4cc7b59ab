"""The speaker's thread against a device in memory, for machines without a sound server."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import trio
import trio.testing
from numpy.typing import NDArray

from rtassist.audio import DeviceLost, SoundUnavailable
from rtassist.audio.owner import call_in_thread, owning_thread
from rtassist.audio.speaker import DeviceSpeaker
from tests.audio.test_files import counting, say


class MemoryDevice:
    """Takes 10 ms whenever it is asked for room, and sounds it at once: as fast as the thread feeds it."""

    buffer_samples = 960
    reserve_samples = 480

    def __init__(self) -> None:
        self.sounded_samples: list[int] = []
        self.waiting: list[int] = []
        self.written = 0
        self.flushes = 0
        self.silent: int | None = 0
        self.closed_in = ""
        self.lost = False
        self.stopped = False

    def room(self) -> int:
        if self.lost:
            raise DeviceLost("the speaker is gone")
        if not self.stopped:
            self.sounded_samples += self.waiting[:240]
            del self.waiting[:240]
        return self.buffer_samples - len(self.waiting)

    def ahead(self) -> int:
        return len(self.waiting)

    def write(self, samples: NDArray[np.float32]) -> None:
        assert len(samples) <= self.buffer_samples - len(self.waiting)
        self.waiting += [round(float(s) * 32768) for s in samples]
        self.written += len(samples)

    def sounded(self) -> tuple[float, int] | None:
        # A report from the future cannot be extrapolated past what has sounded.
        return time.monotonic() + 1000 * self.stopped, self.written - len(self.waiting)

    def ran_dry_at(self) -> int | None:
        return None

    def flush(self) -> None:
        self.flushes += 1
        self.silent = self.written - len(self.waiting)
        self.waiting.clear()

    def rewritable(self) -> int | None:
        return None

    def rewrite(self, samples: NDArray[np.float32]) -> None:
        raise AssertionError("it cannot be rewritten")

    def silent_at(self) -> int | None:
        return self.silent

    def close(self) -> None:
        self.closed_in = threading.current_thread().name


def opened(speaker: DeviceSpeaker, device: MemoryDevice, opening: Callable[[], None] = lambda: None):  # type: ignore[no-untyped-def]  # a context manager
    def open_it() -> MemoryDevice:
        opening()
        return device

    return owning_thread(speaker._owner, name="speaker", open=open_it, run=speaker._run, wake=speaker._wake)


async def test_everything_handed_over_sounds_in_order() -> None:
    speaker, device = DeviceSpeaker(), MemoryDevice()
    async with opened(speaker, device):
        await say(speaker, counting(4800))
        with trio.fail_after(10):
            await speaker.drain()
        assert speaker.heard() == speaker.handed() == 4800
    voice = [s for s in device.sounded_samples + device.waiting if s > 72]  # the first 3 ms fade in
    assert voice == list(range(voice[0], 4801))
    assert len(voice) > 4700
    assert device.closed_in == "speaker"


async def test_a_thread_that_comes_late_flushes_nothing_of_the_voice() -> None:
    """40 ms from one look at the device to the next, with the voice in it all the time."""
    speaker, device = DeviceSpeaker(), MemoryDevice()
    room = device.room

    def late() -> int:
        time.sleep(0.04)
        return room()

    device.room = late  # type: ignore[method-assign]  # a busy machine
    async with opened(speaker, device):
        await say(speaker, counting(2400))
        with trio.fail_after(10):
            await speaker.drain()
    assert device.flushes == 1  # of the silence before it
    voice = [s for s in device.sounded_samples + device.waiting if s > 72]
    assert voice == list(range(voice[0], 2401))


async def test_a_flush_silences_a_device_and_wakes_who_waits() -> None:
    speaker, device = DeviceSpeaker(), MemoryDevice()
    device.stopped = True
    async with opened(speaker, device), trio.open_nursery() as nursery:
        nursery.start_soon(say, speaker, counting(3840))
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert speaker.heard() == 0
        before = speaker.handed()
        assert speaker.flush() == before
        assert speaker.heard() == speaker.handed() == 0
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert speaker.handed() > 0  # who waited for room went on
        nursery.cancel_scope.cancel()


async def test_what_sounded_while_it_was_being_flushed_is_heard_once_that_is_known() -> None:
    speaker, device = DeviceSpeaker(), MemoryDevice()
    device.stopped = True
    async with opened(speaker, device):
        await say(speaker, counting(480))
        await trio.testing.wait_all_tasks_blocked(0.05)
        device.stopped = False
        device.silent_at = lambda: 100  # type: ignore[method-assign]  # 100 samples in
        speaker.flush()
        with trio.fail_after(10):
            await speaker.drain()
        heard = speaker.heard()
        assert speaker.handed() == heard
        await speaker.play(bytes(960))
        with trio.fail_after(10):
            await speaker.drain()
        assert speaker.heard() == heard + 480
    assert device.flushes >= 1


async def test_what_a_device_loses_is_told_to_who_plays_and_who_waits() -> None:
    speaker, device = DeviceSpeaker(), MemoryDevice()
    async with opened(speaker, device):
        await speaker.play(bytes(960))
        device.lost = True
        with trio.fail_after(10), pytest.raises(DeviceLost, match="the speaker is gone"):
            await say(speaker, bytes(960 * 1000))
        with pytest.raises(DeviceLost):
            await speaker.play(bytes(960))
        with pytest.raises(DeviceLost):
            await speaker.drain()
        assert speaker.flush() > 0
        assert speaker.heard() == speaker.handed()
    assert device.closed_in == "speaker"


async def test_an_error_of_opening_comes_out_as_it_is() -> None:
    def refuse() -> None:
        raise SoundUnavailable("no")

    with pytest.raises(SoundUnavailable, match="no"):
        async with opened(DeviceSpeaker(), MemoryDevice(), refuse):
            pass


async def test_a_sound_system_that_never_answers_is_left_behind(
    autojump_clock: trio.testing.MockClock,
) -> None:
    device = MemoryDevice()
    answered, closed = threading.Event(), threading.Event()

    def wait() -> None:
        answered.wait(30)

    device.close = closed.set  # type: ignore[method-assign]  # to see it from here
    with pytest.raises(SoundUnavailable, match="does not answer"):
        async with opened(DeviceSpeaker(), device, wait):
            pass
    assert trio.current_time() == 4
    answered.set()
    assert closed.wait(10)  # and when it does answer, the thread closes what it opened
    assert not device.sounded_samples


async def test_a_call_in_a_thread_gives_its_result_or_its_error() -> None:
    def divide(stopping: threading.Event) -> float:
        return 1 / 0

    assert await call_in_thread(lambda stopping: stopping.is_set()) is False
    with pytest.raises(ZeroDivisionError):
        await call_in_thread(divide)
