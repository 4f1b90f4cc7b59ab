"""A recorder's sound is heard when it is there, whatever its clock; a file's at its own speed."""

import math
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
import trio
import trio.testing

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.patience import Patience
from rtassist.audio.pipe_clock import CHUNK_SAMPLES, LEAD_S, RECENT_SAMPLES, PipeClock
from rtassist.audio.pipes import READ_BYTES, PipeMicrophone

CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE


class Recorder:
    """Began to record at 0, and gives its sound in periods; what is not taken stays in the pipe."""

    def __init__(
        self, period_s: float = 0.02, speed: float = 1.0, stands: tuple[float, float] = (0, 0)
    ) -> None:
        self.period_s = period_s
        self.speed = speed
        self.stands_s = stands
        """From when to when nothing is recorded."""
        self.taken = self.heard = 0

    def recorded(self, now_s: float) -> int:
        from_s, to_s = self.stands_s
        ran_s = now_s - min(max(0.0, now_s - from_s), to_s - from_s)
        return math.floor(ran_s * self.speed / self.period_s + 1e-6) * round(self.period_s * SAMPLE_RATE)

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        while self.recorded(trio.current_time()) == self.taken:  # noqa: ASYNC110 (time alone brings it)
            await trio.sleep(0.005)
        samples = min(self.recorded(trio.current_time()) - self.taken, READ_BYTES // 2)
        self.taken += samples
        return np.full(samples, 3, "<i2").tobytes()


class Woken(PipeMicrophone):
    """`times`: how often it has woken up for what is due."""

    times = 0

    async def _due(self) -> bytes:
        self.times += 1
        return await super()._due()


async def late_s(microphone: PipeMicrophone, recorder: Recorder, until_s: float) -> float:
    """By how much the last piece was heard after it was recorded, at that time or later."""
    while trio.current_time() < until_s:
        recorder.heard += len(await microphone.read()) // 2
    return (recorder.recorded(trio.current_time()) - recorder.heard) / SAMPLE_RATE


@pytest.mark.parametrize("period_s", [0.01, 0.02, 0.125])
@pytest.mark.parametrize("reads_from_s", [0.0, 0.03, 0.7, 1.9])
async def test_a_recorder_is_heard_at_once_however_late_it_was_read_first(
    period_s: float, reads_from_s: float, autojump_clock: trio.testing.MockClock
) -> None:
    recorder = Recorder(period_s)
    await trio.sleep(reads_from_s)
    microphone = PipeMicrophone(recorder.receive, fast=False, clock=PipeClock(0.0))
    assert await late_s(microphone, recorder, reads_from_s + 1) < period_s + CHUNK_S + 1e-6


@pytest.mark.parametrize("speed", [0.999, 1.001])
async def test_a_clock_that_is_off_makes_nothing_late(
    speed: float, autojump_clock: trio.testing.MockClock
) -> None:
    recorder = Recorder(speed=speed)
    microphone = PipeMicrophone(recorder.receive, fast=False)
    assert await late_s(microphone, recorder, 60) < CHUNK_S + 0.005 + 1e-6


@pytest.mark.parametrize("ahead_s", [0.0, 0.02, 0.03, 0.05])
@pytest.mark.parametrize(
    ("period_s", "speed", "stands"),
    [
        (0.02, 1, (0, 0)),
        (0.125, 1, (0, 0)),
        (0.02, 0.999, (0, 0)),
        (0.02, 1.001, (0, 0)),
        (0.02, 1, (5, 6)),
    ],
)
async def test_silence_wakes_ten_times_a_second(
    period_s: float,
    speed: float,
    stands: tuple[float, float],
    ahead_s: float,
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Also behind a stall, with clocks that are off, and whatever was in the pipe at first."""
    recorder = Recorder(period_s, speed, stands)
    await trio.sleep(ahead_s)
    microphone = Woken(recorder.receive, fast=False, patience=Patience(), clock=PipeClock(0.0))
    await late_s(microphone, recorder, 160)
    before = microphone.times
    assert await late_s(microphone, recorder, 170) < max(0.1, period_s)
    assert microphone.times - before <= 102


async def test_what_stalled_goes_on_as_it_comes(autojump_clock: trio.testing.MockClock) -> None:
    recorder = Recorder(stands=(5, 8))
    microphone = PipeMicrophone(recorder.receive, fast=False)
    assert await late_s(microphone, recorder, 10) < CHUNK_S + 0.005 + 1e-6


def file(seconds: float) -> Callable[[], Awaitable[bytes]]:
    left = round(seconds * SAMPLE_RATE) * 2

    async def receive() -> bytes:
        nonlocal left
        await trio.lowlevel.checkpoint()
        took = min(left, READ_BYTES)
        left -= took
        return bytes(took)

    return receive


@pytest.mark.parametrize("patience", [True, False])
@pytest.mark.parametrize(("since_s", "lead_s"), [(math.inf, 0.0), (9.5, 0.5), (0.0, LEAD_S)])
async def test_a_file_is_heard_at_its_own_speed(
    since_s: float, lead_s: float, patience: bool, autojump_clock: trio.testing.MockClock
) -> None:
    """But for what may have been recorded before it was read first."""
    await trio.sleep(10)
    microphone = PipeMicrophone(
        file(30), fast=False, patience=Patience() if patience else None, clock=PipeClock(since_s)
    )
    heard = 0
    while heard < 30 * SAMPLE_RATE:
        heard += len(await microphone.read()) // 2
        ahead_s = heard / SAMPLE_RATE - (trio.current_time() - 10)
        assert ahead_s <= lead_s + CHUNK_S + 1e-6
    with pytest.raises(trio.EndOfChannel):
        await microphone.read()
    assert trio.current_time() == pytest.approx(40 - lead_s, abs=0.11)


def test_speech_that_was_made_faster_than_it_is_spoken_keeps_its_speed() -> None:
    """Two seconds of it come at once, after one without: a quarter of a second may be new."""
    clock = PipeClock()
    clock.came(0, 480, 0.0, 0.1)
    assert clock.due_s(0) == pytest.approx(0.1)
    clock.came(480, 2 * SAMPLE_RATE, 0.1, 1.1)
    assert clock.due_by(1.1) - 480 == RECENT_SAMPLES // CHUNK_SAMPLES * CHUNK_SAMPLES
    assert clock.due_s(480 + SAMPLE_RATE) == pytest.approx(1.1 + 1 - 0.25 + CHUNK_S)


def test_who_was_late_himself_has_not_waited() -> None:
    clock = PipeClock()
    clock.came(0, SAMPLE_RATE, 0.0, 0.0)
    clock.came(24_000, 480, 1.0, 1.005)
    assert clock.due_s(24_000) == pytest.approx(1.0)
