"""What follows from the loudspeaker by a room is taken out, and nothing else."""

import numpy as np
import pytest

from rtassist.audio.linear import BLOCK, EchoPath
from tests.audio.rooms import RATE, Sound, erle_db, heard_back, power_db, spoken, story

SECONDS = 10
NOBODY = np.zeros(SECONDS * RATE, np.float32)


def cleared(far: Sound, near: Sound, path: EchoPath) -> Sound:
    blocks = range(0, len(far) // BLOCK * BLOCK, BLOCK)
    return np.concatenate(
        [path.subtract(near[at : at + BLOCK], far[at : at + BLOCK], carefully=False)[0] for at in blocks]
    )


@pytest.mark.parametrize(
    ("delay_ms", "drift_ppm"), [(30, 0), (30, 100), (120, -100), (250, 0), (400, 0), (500, 0)]
)
def test_an_echo_falls_by_15_db_wherever_it_is_and_whoever_keeps_the_time(
    delay_ms: int, drift_ppm: float
) -> None:
    far, path = story(SECONDS), EchoPath()
    near = heard_back(far, delay_ms=delay_ms, gain_db=-6, drift_ppm=drift_ppm)
    left = cleared(far, near, path)
    assert erle_db(near, left, [(7.0, 10.0)])[0] > 15
    assert path.delay == pytest.approx(delay_ms * RATE / 1000, abs=1.5 * RATE / 1000)


def test_a_user_as_loud_as_the_echo_stays_whole() -> None:
    far, user = story(SECONDS), NOBODY.copy()
    words = spoken("what_time_is_it_slt")
    at = slice(8 * RATE, 8 * RATE + len(words))
    user[at] = words
    left = cleared(far, heard_back(far, delay_ms=60, gain_db=0) + user, EchoPath())
    assert power_db(left[at] - user[at]) < power_db(user[at]) - 12


def test_where_nothing_sounds_the_microphone_is_as_it_is() -> None:
    near = np.random.default_rng(1).normal(size=SECONDS * RATE).astype(np.float32) / 10
    assert np.array_equal(cleared(NOBODY, near, EchoPath()), near)


def test_a_path_that_begins_again_knows_the_delay() -> None:
    far, path = story(SECONDS), EchoPath()
    near = heard_back(far, delay_ms=250, gain_db=-6)
    cleared(far, near, path)
    path.restart()
    left = cleared(far, near, path)
    assert erle_db(near, left, [(3.0, 5.0)])[0] > 10
