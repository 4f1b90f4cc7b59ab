"""A long conversation in a short time; the long ones: python -m tests.chaos --hours 3, --real-minutes 10."""

from tests.chaos import lasting

MOST_BYTES = 2_000_000
"""The history of so few turns is not full yet. One voice that is kept is a hundred thousand."""


def test_hours_leave_nothing_behind() -> None:
    found = lasting.virtual(hours=0.08, turns=40, lasts_s=80)

    assert found.sessions == found.hand_overs + 1 >= 4
    assert found.lost == 0
    assert found.errors == 0
    before, after = found.traced
    assert after - before < MOST_BYTES, found.told()
