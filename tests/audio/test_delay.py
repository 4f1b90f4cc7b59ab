"""A delay is found where there is an echo, and nowhere else."""

import numpy as np
import pytest

from rtassist.audio.delay import DelayFinder
from tests.audio.rooms import RATE, Sound, heard_back, spoken, story

BLOCK = RATE // 50


def found_ms(near: Sound, far: Sound) -> list[float]:
    finder = DelayFinder()
    blocks = range(0, len(far) // BLOCK * BLOCK, BLOCK)
    found = [finder.heard(near[at : at + BLOCK], far[at : at + BLOCK]) for at in blocks]
    return [delay * 1000 / RATE for delay in found if delay is not None]


@pytest.mark.parametrize("delay_ms", [30, 120, 250, 400, 550])
def test_a_delay_is_found_within_two_seconds_to_the_millisecond(delay_ms: int) -> None:
    far = story(2)
    found = found_ms(heard_back(far, delay_ms=delay_ms, gain_db=-10), far)
    assert found
    assert max(abs(ms - delay_ms) for ms in found) <= 1


def test_it_is_found_under_a_user_as_loud_as_the_echo() -> None:
    far = story(5)
    user = np.resize(spoken("count_to_twenty_slt"), len(far))
    found = found_ms(heard_back(far, delay_ms=120, gain_db=0) + user, far)
    assert len(found) >= 2
    assert max(abs(ms - 120) for ms in found) <= 1


def test_none_is_found_in_silence_nor_in_what_somebody_else_says() -> None:
    silence = np.zeros(5 * RATE, np.float32)
    user = np.resize(spoken("count_to_twenty_slt"), len(silence))
    noise = np.random.default_rng(1).normal(size=len(silence)).astype(np.float32) * 1e-3
    assert found_ms(silence, silence) == []
    assert found_ms(noise, story(5)) == []
    assert found_ms(user + noise, story(5)) == []
