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


def asked(*counts: tuple[int, float], from_s: float = 0.0) -> list[tuple[float, int]]:
    """Each count for so many seconds, looked at every 50 ms."""
    seen = []
    for count, duration_s in counts:
        seen += [(from_s + n / 20, count) for n in range(round(duration_s * 20))]
        from_s += duration_s
    return seen


def test_a_device_that_stands_still_is_lost() -> None:
    watched(*asked((0, 0.2), (480, 1.45), (960, 0.1)))
    with pytest.raises(DeviceLost, match="the speaker stands still"):
        watched(*asked((0, 0.2), (480, 1.65)))
    with pytest.raises(DeviceLost):
        watched(*asked((0, 3.2)))


def test_a_machine_that_stood_still_itself_blames_no_device() -> None:
    before, after = asked((0, 0.2), (480, 0.2)), asked((480, 1.0), (960, 0.1), from_s=60)
    watched(*before, *after)
