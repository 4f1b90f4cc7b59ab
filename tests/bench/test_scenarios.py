"""Scenarios are told apart, and long enough for what they are about."""

from itertools import pairwise
from urllib.parse import quote

import numpy as np
import pytest

from bench.scenarios import LATE, LOWEST, PERIOD, SCENARIOS, SpeechStarted, for_client, lasts_s, voice


def test_no_sample_of_a_voice_is_another_voice_or_silence() -> None:
    seen = [voice(of, 0, 3 * PERIOD) for of in range(LATE + 1)]
    assert min(map(np.min, seen)) == LOWEST
    assert max(map(np.max, seen)) < 2**15
    for lower, higher in pairwise(seen):
        assert lower.max() < higher.min()


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_can_be_told_to_a_client(name: str) -> None:
    told = for_client(SCENARIOS[name])
    assert told["name"] == name
    assert quote(name) == name
    assert 0 < told["lasts_s"] <= 12
    assert told["device"]["buffer_ms"] >= 2 * told["device"]["period_ms"]


def test_behind_an_interruption_there_is_time_for_what_should_not_sound() -> None:
    for scenario in SCENARIOS.values():
        if SpeechStarted() in scenario.steps:
            behind = scenario.steps[scenario.steps.index(SpeechStarted()) :]
            assert lasts_s(type(scenario)(name="", steps=behind)) >= 0.4
