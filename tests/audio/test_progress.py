import pytest

from rtassist.audio import DeviceLost
from rtassist.audio.progress import Progress


def watched(*seen: tuple[float, int]) -> None:
    now = iter([0.0, *(at_s for at_s, _ in seen)])
    progress = Progress("the speaker", lambda: next(now))
    for _, count in seen:
        progress.check(count)


def test_a_device_that_runs_is_left_alone() -> None:
    watched(*((n * 1.4, n) for n in range(50)))


def test_a_device_may_take_long_to_begin() -> None:
    watched((0.1, 0), (2.9, 0), (3.0, 480), (4.4, 480), (4.45, 960))


def test_a_device_that_stands_still_is_lost() -> None:
    with pytest.raises(DeviceLost, match="the speaker stands still"):
        watched((0.1, 0), (0.2, 480), (1.6, 480), (1.8, 480))
    with pytest.raises(DeviceLost):
        watched((0.1, 0), (3.2, 0))
