"""What a row of the suite is: something that is done once for each contender and round, and gives samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from bench.figures import OURS, Figure

Samples = Mapping[str, Sequence[float]]
"""By the names of the row's figures."""


class CannotDo(Exception):  # noqa: N818  # what a contender says of a row, and no fault
    """A contender, or this machine, cannot do a row; `reason` goes into its cell."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@frozen(kw_only=True)
class Row:
    """`once` does it for one contender: it is called in turns, A B C A B C, and gives the samples of a round.

    `quick` says that the whole suite is to take two minutes: fewer or shorter trials of the same thing.
    Raises CannotDo.
    """

    name: str
    measures: str
    """One sentence: what is measured, from where to where."""
    figures: tuple[Figure, ...]
    once: Callable[[str, bool], Samples]
    contenders: tuple[str, ...] = (OURS,)
    bounds: tuple[str, ...] = ()
    """Contenders that are no clients: what is physically possible, or a part alone. Measured with --no-peers
    too."""
    rounds: int = 5
    quick_rounds: int = 2
