"""What is measured and what it amounts to: figures, their samples, and how sure a difference is. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

OURS: Final = "rtassist"
CERTAINTY: Final = 0.99
"""A comparison has dozens of lines; with 95 % one of twenty would be a false alarm."""
_T: Final = (63.66, 9.93, 5.85, 4.61, 4.04, 3.71, 3.50, 3.36, 3.25, 3.17)
"""By degrees of freedom, from one on."""


@frozen(kw_only=True)
class Figure:
    """One quantity of a row. `limit`: what the `of` its samples ("median", "p99", "worst") may be at most; at
    least, where more is better.
    """

    name: str
    unit: str
    limit: float | None = None
    of: str = "median"
    more_is_better: bool = False


@frozen(kw_only=True)
class Measured:
    """The samples of one figure and one contender, round by round; or why it cannot do this."""

    row: str
    figure: Figure
    contender: str
    rounds: tuple[tuple[float, ...], ...] = ()
    cannot: str = ""

    def samples(self) -> list[float]:
        return [sample for samples in self.rounds for sample in samples]

    def median(self) -> float:
        return statistics.median(self.samples())

    def p99(self) -> float:
        return quantile(self.samples(), 0.99)

    def worst(self) -> float:
        return min(self.samples()) if self.figure.more_is_better else max(self.samples())

    def kept(self) -> bool | None:
        """Whether the limit is kept; None where there is none, or nothing was measured."""
        figure = self.figure
        if figure.limit is None or not self.samples():
            return None
        value = {"median": self.median, "p99": self.p99, "worst": self.worst}[figure.of]()
        return value >= figure.limit if figure.more_is_better else value <= figure.limit


def quantile(samples: Sequence[float], share: float) -> float:
    """The sample that `share` of all are at most as large as; of few samples the largest, not a guess."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio(theirs: Measured, ours: Measured) -> float | None:
    """Theirs over ours: the median of the rounds' own ratios, so that a busy machine falls on both."""
    each = [
        statistics.median(their) / statistics.median(our)
        for their, our in zip(theirs.rounds, ours.rounds, strict=False)
        if their and our and statistics.median(our)
    ]
    return statistics.median(each) if each else None


@frozen
class Change:
    """A second run over a first: the ratio of the medians, and between what it lies with 99 % certainty."""

    ratio: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        return not self.low <= 1 <= self.high


def change(before: Measured, after: Measured) -> Change | None:
    """None where a ratio says nothing: nothing measured, or zero.

    By Welch's interval for the logarithms. Rounds are what is counted, by their medians, not samples: those
    of one round are alike in what else the machine did. Of fewer than three rounds samples have to do.
    """
    pools = [_pool(measured) for measured in (before, after)]
    if not all(pools) or not all(value > 0 for pool in pools for value in pool):
        return None
    first, second = ([math.log(value) for value in pool] for pool in pools)
    difference = statistics.fmean(second) - statistics.fmean(first)
    if min(len(first), len(second)) < 2:
        return Change(math.exp(difference), 0.0, math.inf)
    errors = [statistics.variance(each) / len(each) for each in (first, second)]
    freedom = sum(errors) ** 2 / (
        sum(error**2 / (len(each) - 1) for error, each in zip(errors, (first, second), strict=True))
        or math.inf
    )
    spread = _t(freedom) * math.sqrt(sum(errors))
    return Change(*(math.exp(difference + by) for by in (0.0, -spread, spread)))


def _t(freedom: float) -> float:
    """Of Student's distribution, beyond which 1 % lies on both sides together; never less than that."""
    if freedom < len(_T):
        return _T[max(0, math.floor(freedom) - 1)]
    return statistics.NormalDist().inv_cdf((1 + CERTAINTY) / 2) * (1 + 2.3 / freedom)


def _pool(measured: Measured) -> list[float]:
    rounds = [statistics.median(samples) for samples in measured.rounds if samples]
    return rounds if len(rounds) > 2 else measured.samples()


def gathered(
    row: str, figures: Sequence[Figure], contender: str, rounds: Sequence[Mapping[str, Sequence[float]]]
) -> list[Measured]:
    """What rounds gave, by figure."""
    return [
        Measured(
            row=row,
            figure=figure,
            contender=contender,
            rounds=tuple(tuple(each.get(figure.name, ())) for each in rounds),
        )
        for figure in figures
    ]
