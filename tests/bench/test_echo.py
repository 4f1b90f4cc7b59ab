"""What the program does against echo is what the row measures: without it the figures are bad."""

import pytest

from bench.figures import OURS
from bench.self_interruption import CAUGHT, FALSE, ROWS


@pytest.mark.aec
@pytest.mark.offline
def test_without_a_canceller_the_assistant_interrupts_itself() -> None:
    (row,) = ROWS
    ours, without = row.once(OURS, True), row.once("nothing", True)
    assert ours[FALSE][0] < without[FALSE][0]
    assert ours[CAUGHT][0] > without[CAUGHT][0]
