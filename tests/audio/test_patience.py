import numpy as np
import pytest

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.patience import QUIET_SAMPLES, TOGETHER_SAMPLES, Noise, Patience, Samples

CHUNK = SAMPLE_RATE // 50


def noise(dbfs: float, chunks: int, seed: int = 1) -> list[Samples]:
    sound = np.random.default_rng(seed).normal(size=(chunks, CHUNK)) * 10 ** (dbfs / 20)
    return list(sound.astype(np.float32))


def lengths_ms(patience: Patience, chunks: list[Samples]) -> list[list[int]]:
    """Of the pieces that go on with each chunk."""
    return [[len(piece) * 1000 // SAMPLE_RATE for piece in patience.put(chunk)] for chunk in chunks]


@pytest.mark.parametrize("dbfs", [-90.0, -70.0, -45.0, -25.0])
def test_after_two_seconds_of_any_steady_noise_chunks_go_on_together(dbfs: float) -> None:
    patience = Patience()
    until_quiet = QUIET_SAMPLES // CHUNK - 1
    assert lengths_ms(patience, noise(dbfs, until_quiet)) == [[20]] * until_quiet
    assert not patience.quiet
    assert lengths_ms(patience, noise(dbfs, 10, seed=2)) == [[], [], [], [], [100]] * 2
    assert patience.quiet


@pytest.mark.parametrize("over_db", [10.0, 30.0])
def test_the_first_chunk_that_sounds_brings_along_what_waited(over_db: float) -> None:
    patience = Patience()
    lengths_ms(patience, noise(-60, QUIET_SAMPLES // CHUNK + 1))
    assert lengths_ms(patience, noise(-60 + over_db, 2)) == [[40, 20], [20]]
    assert not patience.quiet


def test_the_silence_that_ends_a_turn_is_not_late() -> None:
    patience = Patience()
    lengths_ms(patience, noise(-60, 10))
    lengths_ms(patience, noise(-30, 10))
    assert lengths_ms(patience, noise(-60, 99, seed=3)) == [[20]] * 99


def test_nothing_is_lost_changed_or_moved() -> None:
    rng = np.random.default_rng(4)
    chunks = [
        chunk for _ in range(40) for chunk in noise(float(rng.choice([-70, -30])), int(rng.integers(150)))
    ]
    patience = Patience()
    given = np.concatenate([piece for chunk in chunks for piece in patience.put(chunk)])
    sound = np.concatenate(chunks)
    assert len(sound) - len(given) < TOGETHER_SAMPLES
    assert np.array_equal(given, sound[: len(given)])


def test_noise_that_begins_is_known_after_a_while() -> None:
    watch = Noise()
    assert not any(watch.exceeded_by(chunk) for chunk in noise(-70, 50))
    fan = [watch.exceeded_by(chunk) for chunk in noise(-50, 500)]
    assert all(fan[:300])
    assert not any(fan[-50:])
