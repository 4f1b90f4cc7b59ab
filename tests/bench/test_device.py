"""A loudspeaker on a clock that the test moves, and what is made of all that left it."""

import numpy as np
import pytest
from attrs import define

from bench.device import RATE, Loudspeaker
from bench.heard import Heard, heard
from bench.scenarios import LATE, MS, voice


@define
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def loudspeaker(clock: Clock, *, drift_ppm: int = 0) -> Loudspeaker:
    return Loudspeaker(buffer_ms=60, period_ms=10, drift_ppm=drift_ppm, now_s=clock)


def pcm(of: int, start: int, count: int) -> bytes:
    return voice(of, start, count).tobytes()


def what_left(device: Loudspeaker) -> Heard:
    return heard(device.report())


def test_it_takes_a_period_at_a_time_and_fills_with_silence() -> None:
    clock = Clock()
    device = loudspeaker(clock)
    assert device.room() == 60 * MS
    device.write(pcm(0, 0, 25 * MS))
    assert device.room() == 35 * MS
    clock.now_s += 0.011
    assert (device.ahead(), device.room()) == (15 * MS, 45 * MS)
    clock.now_s += 0.025
    assert device.ahead() == 0
    assert device.ran_dry_at() == 25 * MS
    left = what_left(device)
    assert left.ms(0) == 25
    assert left.began() == pytest.approx(100.01)
    assert left.ended() == pytest.approx(100.035)


def test_it_tells_what_sounds() -> None:
    clock = Clock()
    device = loudspeaker(clock)
    device.write(pcm(0, 0, 50 * MS))
    clock.now_s += 0.015
    assert device.sounded() == (clock.now_s, 5 * MS)
    clock.now_s += 1
    assert device.sounded()[1] == 50 * MS


def test_a_flush_takes_back_all_but_the_period_that_sounds() -> None:
    clock = Clock()
    device = loudspeaker(clock)
    device.write(pcm(0, 0, 60 * MS))
    clock.now_s += 0.025
    assert device.flush() == 20 * MS
    clock.now_s += 1
    assert what_left(device).ms(0) == 20


def test_its_clock_may_be_off() -> None:
    clock = Clock()
    device = loudspeaker(clock, drift_ppm=-10_000)
    clock.now_s += 10
    device.room()
    assert len(device.left) // 2 == pytest.approx(9.9 * RATE, abs=10 * MS)


def left(*pieces: bytes) -> Heard:
    import base64

    return heard({"began_s": 0.0, "rate": RATE, "left": base64.b64encode(b"".join(pieces)).decode()})


def test_voices_are_told_apart() -> None:
    sounded = left(bytes(960), pcm(0, 0, 4800), pcm(1, 0, 240), bytes(96), pcm(LATE, 7000, 2400))
    assert [sounded.count(of) for of in (0, 1, LATE)] == [4800, 240, 2400]
    assert sounded.steady()
    assert sounded.began() == 480 / RATE
    assert sounded.ended() == (480 + 5040 + 48 + 2400) / RATE


def test_fades_are_counted_with_their_voice() -> None:
    samples = voice(2, 0, 2400).astype(np.float64)
    samples[:72] *= np.arange(1, 73) / 73
    samples[-72:] *= np.arange(72, 0, -1) / 73
    sounded = left(bytes(960), samples.astype("<i2").tobytes(), bytes(960))
    assert sounded.count(2) == 2400
    assert sounded.steady()


@pytest.mark.parametrize("start", [1100, 1201, 4000])
def test_lost_and_repeated_samples_are_seen(start: int) -> None:
    assert left(pcm(0, 0, 1200), pcm(0, 1200, 1200)).steady()
    assert not left(pcm(0, 0, 1200), pcm(0, start, 1200)).steady()
