import pytest

from rtassist.audio import DeviceLost
from rtassist.audio.progress import Progress


def watched(*seen: tuple[float, int]) -> None:
    """What the count is from when on, by somebody who looks every 20 ms."""
    changes = dict(seen)
    looks = {round(number * 0.02, 2) for number in range(1, round(max(changes) / 0.02) + 1)} | changes.keys()
    now = iter([0.0, *sorted(looks)])
    progress = Progress("the speaker", lambda: next(now))
    count = seen[0][1]
    for at_s in sorted(looks):
        count = changes.get(at_s, count)
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


def test_time_in_which_nobody_looked_says_nothing() -> None:
    """Our thread was kept from running, by a machine that is too busy; so was perhaps the sound server."""
    now = iter([0.0, 0.1, 0.12, 5.0, 5.02])
    progress = Progress("the speaker", lambda: next(now))
    for count in (0, 480, 480, 480):
        progress.check(count)
