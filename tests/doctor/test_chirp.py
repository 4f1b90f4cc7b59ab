"""The matched filter, in rooms that do not exist."""

import numpy as np
import pytest

from rtassist.doctor import chirp
from tests.audio.rooms import RATE, Sound, heard_back, power_db, story

SOUGHT = chirp.chirp()
WINDOW = RATE + RATE // 5
ONE_MS = RATE // 1000


def played(at: int, length: int = WINDOW) -> Sound:
    sound = np.zeros(length, np.float32)
    sound[at : at + len(SOUGHT)] = SOUGHT
    return sound


def noise(seed: int, dbfs: float, samples: int = WINDOW) -> Sound:
    return (np.random.default_rng(seed).normal(size=samples) * 10 ** (dbfs / 20)).astype(np.float32)


def hum(samples: int = WINDOW) -> Sound:
    at_s = np.arange(samples) / RATE
    tones = np.sum([np.sin(2 * np.pi * 50 * n * at_s) / n for n in range(1, 40)], axis=0)
    hum: Sound = (0.05 * tones).astype(np.float32)
    return hum


@pytest.mark.parametrize("delay_ms", [0, 1, 40, 250, 1000])
@pytest.mark.parametrize("gain_db", [0.0, -30.0])
def test_it_is_found_in_a_room_within_a_millisecond(delay_ms: int, gain_db: float) -> None:
    heard = heard_back(played(480), delay_ms=delay_ms, gain_db=gain_db)
    found = chirp.find(heard, SOUGHT)
    assert found is not None
    assert abs(found.at - 480 - delay_ms * ONE_MS) < ONE_MS
    # The room's tail takes a part of its energy of 1.
    assert found.gain_db == pytest.approx(gain_db, abs=5)


def test_it_is_found_under_noise_that_is_louder() -> None:
    echo = played(7777) * np.float32(10 ** (-25 / 20))
    heard = echo + noise(1, power_db(SOUGHT) - 25 + 6)
    found = chirp.find(heard, SOUGHT)
    assert found is not None
    assert abs(found.at - 7777) < 3


def test_a_loudspeaker_with_crossed_wires_makes_no_difference() -> None:
    found = chirp.find(-played(500), SOUGHT)
    assert found is not None
    assert found.at == pytest.approx(500, abs=0.01)
    assert found.gain_db == pytest.approx(0, abs=0.01)


def test_the_sound_that_came_straight_counts_and_not_a_louder_reflection() -> None:
    late = 6 * ONE_MS
    heard = played(1000) + np.float32(1.3) * played(1000 + late) + noise(2, -60)
    found = chirp.find(heard, SOUGHT)
    assert found is not None
    assert abs(found.at - 1000) < ONE_MS


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_chirp(seed: int) -> None:
    assert chirp.find(noise(seed, -20), SOUGHT) is None


def test_hum_and_voices_are_no_chirps() -> None:
    assert chirp.find(hum(), SOUGHT) is None
    voice = story(30)
    for start in range(0, len(voice) - WINDOW, WINDOW // 2):
        assert chirp.find(voice[start : start + WINDOW], SOUGHT) is None


def test_silence_and_too_little_are_no_chirps() -> None:
    assert chirp.find(np.zeros(WINDOW, np.float32), SOUGHT) is None
    assert chirp.find(SOUGHT[:-1], SOUGHT) is None
    assert chirp.find(np.zeros(0, np.float32), SOUGHT) is None


ROW = [n * 28_800 for n in range(6)]


@pytest.mark.parametrize("ppm", [-250.0, -20.0, 0.0, 5.0, 100.0])
def test_drift_is_found_in_a_room_with_noise(ppm: float) -> None:
    sound = np.zeros(ROW[-1] + WINDOW, np.float32)
    for at in ROW:
        sound[at : at + len(SOUGHT)] = SOUGHT
    # The microphone's clock is slower by what `heard_back` calls its drift.
    heard = heard_back(sound, delay_ms=70, gain_db=-20, drift_ppm=-ppm)
    places = []
    for at in ROW:
        found = chirp.find(heard[at : at + WINDOW - 1200], SOUGHT)
        assert found is not None
        places.append(at + found.at)
    drift = chirp.drift(ROW, places)
    assert drift is not None
    assert drift.within_ppm is not None
    assert drift.within_ppm < 10
    assert drift.ppm == pytest.approx(ppm, abs=drift.within_ppm)
    assert drift.tears == 0


def test_one_chirp_at_a_wrong_place_does_not_matter() -> None:
    places = [at * (1 + 80e-6) + 1000 for at in ROW]
    places[2] += 700
    drift = chirp.drift(ROW, places)
    assert drift is not None
    assert drift.ppm == pytest.approx(80, abs=1)
    assert drift.tears == 2


def test_what_comes_after_a_hole_is_still_compared() -> None:
    places = [at * (1 - 900e-6) + 1000 + 1080 * (at > ROW[2]) for at in ROW]
    drift = chirp.drift(ROW, places)
    assert drift is not None
    assert drift.ppm == pytest.approx(-900, abs=1)
    assert drift.tears == 1


def test_a_row_that_is_all_torn_tells_no_drift() -> None:
    drift = chirp.drift(
        ROW, [at + 1000.0 + hole for at, hole in zip(ROW, (0, 50, 50, 90, 300, 310), strict=True)]
    )
    assert drift is not None
    assert (drift.ppm, drift.within_ppm, drift.tears) == (None, None, 3)


def test_two_chirps_are_too_few() -> None:
    assert chirp.drift(ROW[:2], ROW[:2]) is None


def test_the_voice_without_words_is_as_loud_as_a_voice_and_has_pauses() -> None:
    voice = chirp.speechlike(3 * RATE)
    assert power_db(voice) == pytest.approx(-20, abs=0.1)
    assert np.max(np.abs(voice)) < 1
    frames = voice[: len(voice) // 240 * 240].reshape(-1, 240)
    quiet = np.mean(np.max(np.abs(frames), axis=1) < 0.001)
    assert 0.2 < quiet < 0.7
