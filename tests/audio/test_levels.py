"""How loud speech becomes, and that nothing else does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rtassist.audio.levels import LEAST_DB, MOST_DB, ClipWatch, Gain
from tests.talking import speech

CHUNK = 480
Floats = NDArray[np.float32]


def talk(level_dbfs: float, seconds: float = 20, noise_dbfs: float = -80) -> Floats:
    """Sentences with pauses between them, over a room's noise. `level_dbfs`: RMS of the loud half."""
    sentence = speech("what_time_is_it_rms").astype(np.float32)
    loud = sentence[np.abs(sentence) > np.median(np.abs(sentence))]
    sentence = sentence / np.sqrt(np.mean(loud**2)) * 10 ** (level_dbfs / 20)
    said = np.resize(np.concatenate([sentence, np.zeros(24_000, np.float32)]), int(seconds * 24_000))
    noise = np.random.default_rng(1).normal(size=len(said)) * 10 ** (noise_dbfs / 20)
    return np.clip(said + noise, -1, 1).astype(np.float32)


def through(gain: Gain, samples: Floats) -> Floats:
    pieces = [gain.apply(samples[i : i + CHUNK]) for i in range(0, len(samples) - CHUNK + 1, CHUNK)]
    return np.concatenate(pieces)


def level_dbfs(samples: Floats) -> float:
    loud = samples[np.abs(samples) > np.median(np.abs(samples))]
    return float(10 * np.log10(np.mean(loud**2)))


@pytest.mark.parametrize("healthy_dbfs", [-30.0, -24.0, -16.0])
def test_healthy_speech_is_left_bit_by_bit(healthy_dbfs: float) -> None:
    sound = talk(healthy_dbfs)
    assert np.array_equal(through(Gain(), sound), sound[: len(sound) // CHUNK * CHUNK])


def test_faint_speech_is_raised_within_seconds() -> None:
    gain = Gain()
    raised = through(gain, talk(-46))
    assert 10 < gain.db <= MOST_DB
    assert level_dbfs(raised[-10 * 24_000 :]) > -36
    assert np.max(np.abs(raised)) < 1


def test_loud_speech_is_lowered() -> None:
    gain = Gain()
    through(gain, talk(-6))
    assert LEAST_DB <= gain.db < -3


def test_it_is_bounded() -> None:
    faint = Gain()
    through(faint, talk(-58, seconds=60, noise_dbfs=-90))
    assert faint.db == pytest.approx(MOST_DB)


@pytest.mark.parametrize("noise_dbfs", [-90.0, -60.0, -45.0, -30.0])
def test_a_room_alone_is_never_raised(noise_dbfs: float) -> None:
    gain = Gain()
    through(gain, talk(-200, noise_dbfs=noise_dbfs))
    assert gain.db == 0


def test_noise_under_faint_speech_is_not_raised_to_where_it_is_heard() -> None:
    gain = Gain()
    through(gain, talk(-42, seconds=40, noise_dbfs=-60))
    assert 0 < gain.db < 7


def test_it_stands_still_in_a_pause_and_moves_slowly_in_speech() -> None:
    gain = Gain()
    through(gain, talk(-46))
    before_db = gain.db
    noise = talk(-200, seconds=10)
    assert np.array_equal(through(gain, noise)[:CHUNK], noise[:CHUNK] * np.float32(10 ** (before_db / 20)))
    assert gain.db == before_db
    steps = []
    for start in range(0, 5 * 24_000, CHUNK):
        gain.apply(talk(-10, seconds=5)[start : start + CHUNK])
        steps.append(abs(gain.db - before_db))
        before_db = gain.db
    assert 0 < max(steps) < 0.1


def test_a_shout_after_faint_speech_is_not_cut_off() -> None:
    gain = Gain()
    through(gain, talk(-46))
    shout = talk(-9, seconds=1)
    assert np.max(np.abs(gain.apply(shout))) < 0.98


def tone(peak: float, seconds: float = 1.0) -> Floats:
    t = np.arange(int(seconds * 24_000)) / 24_000
    return np.clip(peak * np.sin(2 * np.pi * 220 * t), -1, 1).astype(np.float32)


def told(watch: ClipWatch, samples: Floats) -> int:
    return sum(watch.clips(samples[i : i + CHUNK]) for i in range(0, len(samples), CHUNK))


def test_clipping_is_told_once() -> None:
    watch = ClipWatch()
    assert told(watch, tone(1.5, seconds=30)) == 1
    assert told(watch, tone(1.5, seconds=30)) == 0


@pytest.mark.parametrize("peak", [0.1, 0.9, 0.9985])
def test_what_is_only_loud_does_not_clip(peak: float) -> None:
    assert told(ClipWatch(), tone(peak, seconds=30)) == 0


def test_a_cough_is_forgiven() -> None:
    watch = ClipWatch()
    for _ in range(10):
        assert told(watch, tone(1.5, seconds=0.06)) == 0
        assert told(watch, tone(0.5, seconds=4)) == 0
