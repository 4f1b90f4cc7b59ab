"""Two cells of the bench's grid: the assistant reads on over itself, and a user is heard over it."""

import pytest
from attrs import evolve

from bench.self_interruption import Cell, cells, run

pytestmark = [pytest.mark.aec, pytest.mark.offline]

GRID = cells(1, 24.0)


@pytest.mark.parametrize("number", [0, 13])
def test_the_assistant_does_not_interrupt_itself_and_a_user_does(number: int) -> None:
    cell: Cell = evolve(GRID[number], users_from_s=6.0, seed=2)
    results = run(cell)
    assert results["off, server"].false >= 5, "or the test could not fail"
    sent = results["guard, server"]
    assert sent.false == 0
    assert len(sent.trials) >= 1
    assert all(late_s is not None and late_s <= 0.3 for late_s in sent.late_s)
