"""A slow network is told when it begins, now and then while it lasts, and when it is over."""

from __future__ import annotations

from rtassist.dialogue.effects import ClearAlarm, SetAlarm
from rtassist.dialogue.events import UplinkDropped
from tests.playbook import Playbook, Says, Wait, listening, rang

PIECE = UplinkDropped(480)
BEGINS = "The network is too slow: parts of what you say are lost."


def test_a_slow_network_is_told_once_and_its_sum_when_it_is_over() -> None:
    book = Playbook(listening(), blind_to=(ClearAlarm, SetAlarm)) >> PIECE << Says(BEGINS, "warning")
    for _ in range(99):
        book = book >> Wait(20_000) >> PIECE
    book = book >> Wait(3_020_000) >> rang("uplink") >> Wait(5_000_000) >> rang("uplink")
    assert book << Says("The network was too slow for a while: 2.0 s of what you said are lost.", "warning")
    assert book.state.shortfall is None
    assert book >> Wait(1) >> PIECE << Says(BEGINS, "warning")


def test_while_it_lasts_the_sum_is_told_every_half_minute() -> None:
    book = Playbook(listening(), blind_to=(ClearAlarm, SetAlarm)) >> PIECE << Says(BEGINS)
    for round_ in range(1, 13):
        book = book >> Wait(1_000_000) >> UplinkDropped(480 * 25) >> Wait(4_000_000) >> rang("uplink")
        if round_ % 6 == 0:
            book = book << Says(
                f"The network is still too slow: {round_ / 2:.1f} s of what you said are lost"
            )
    assert book


def test_it_is_looked_at_again_in_five_seconds() -> None:
    book = Playbook(listening()) >> PIECE
    assert book
    again = Playbook(listening(), blind_to=()) >> PIECE << Says(BEGINS) << SetAlarm("uplink", 5_000_000)
    assert again >> Wait(5_000_000 - 1) >> rang("uplink") << SetAlarm("uplink", 10_000_000 - 1)


def test_what_a_long_gap_cost_is_told_at_once() -> None:
    book = Playbook(listening(), blind_to=()) >> UplinkDropped(24_000 * 12, in_gap=True)
    assert book << Says("of what you said the last 30 s were kept, and 12.0 s before them are lost.")
