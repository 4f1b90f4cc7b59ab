"""What samples amount to."""

import random

import pytest

from bench.figures import Figure, Measured, change, gathered, ratio

DELAY = Figure(name="delay", unit="ms", limit=20, of="p99")


def measured(*rounds: tuple[float, ...], figure: Figure = DELAY, contender: str = "rtassist") -> Measured:
    return Measured(row="row", figure=figure, contender=contender, rounds=rounds)


def noise(seed: int, middle: float, rounds: int = 6) -> Measured:
    chance = random.Random(seed)
    return measured(*(tuple(chance.gauss(middle, middle / 20) for _ in range(20)) for _ in range(rounds)))


def test_a_limit_is_of_what_it_says() -> None:
    samples = (*range(1, 200), 1000)
    assert measured(samples).kept() is False
    assert measured(samples, figure=Figure(name="d", unit="ms", limit=101, of="median")).kept() is True
    assert measured(samples, figure=Figure(name="d", unit="ms", limit=999, of="worst")).kept() is False
    assert measured(samples, figure=Figure(name="d", unit="ms")).kept() is None
    assert measured(figure=DELAY).kept() is None


def test_more_may_be_better() -> None:
    speed = Figure(name="speed", unit="×", limit=100, of="worst", more_is_better=True)
    assert measured((150, 120), figure=speed).kept() is True
    assert measured((150, 90), figure=speed).kept() is False


def test_a_ratio_is_taken_within_a_round() -> None:
    """The machine was ten times slower in the second round, for both."""
    ours, theirs = measured((1, 1, 1), (10, 10)), measured((2, 2), (20, 20, 20), contender="theirs")
    assert ratio(theirs, ours) == 2
    assert ratio(measured((), contender="theirs"), ours) is None


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_difference(seed: int) -> None:
    changed = change(noise(seed, 10), noise(seed + 100, 10))
    assert changed is not None
    assert not changed.certain


def test_what_moves_from_round_to_round_is_no_difference_between_runs() -> None:
    """Three rounds, as most rows have; with 99 % certainty four of four hundred are expected."""

    def moody(seed: int) -> Measured:
        chance = random.Random(seed)
        moods = [chance.gauss(10, 1) for _ in range(3)]
        return measured(*(tuple(chance.gauss(mood, 0.1) for _ in range(20)) for mood in moods))

    changes = [change(moody(seed), moody(seed + 1000)) for seed in range(400)]
    assert sum(changed is not None and changed.certain for changed in changes) <= 8


def test_one_sample_shows_no_difference_and_what_never_varies_does() -> None:
    once = change(measured((10,)), measured((20,)))
    assert once is not None
    assert not once.certain
    same = change(measured((10,), (10,), (10,)), measured((10,), (10,)))
    assert same is not None
    assert not same.certain
    other = change(measured((10,), (10,), (10,)), measured((20,), (20,), (20,)))
    assert other is not None
    assert other.certain


def test_a_difference_is_found() -> None:
    changed = change(noise(1, 10), noise(2, 13))
    assert changed is not None
    assert changed.certain
    assert changed.low < 1.3 < changed.high


def test_where_nothing_can_be_said() -> None:
    assert change(measured((0, 0, 0)), measured((1, 2, 3))) is None
    assert change(measured(), measured((1, 2, 3))) is None


def test_what_rounds_gave_is_sorted_by_figure() -> None:
    other = Figure(name="other", unit="ms")
    delay, none = gathered("row", (DELAY, other), "rtassist", [{"delay": [1, 2]}, {"delay": [3]}])
    assert delay.rounds == ((1, 2), (3,))
    assert none.samples() == []
