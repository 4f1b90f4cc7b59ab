"""Speech is found while it begins, and what only sounds mostly is not."""

import numpy as np
import pytest

from rtassist.audio.echo import canceller
from rtassist.audio.onset import OnsetWatch
from tests.audio.onsets import (
    CHUNK,
    NOISES,
    QUIET_DBFS,
    SPOKEN,
    at_dbfs,
    delays_ms,
    left_of_the_voice,
    onsets,
    pink,
    sentences,
    white,
)
from tests.audio.rooms import RATE, Sound, story
from tests.audio.virtual_devices import conversation

MS = RATE // 1000


@pytest.mark.parametrize(
    ("scene", "median_ms", "worst_ms"),
    [
        ("a quiet room", 60, 150),
        ("the same, a faint microphone", 100, 300),
        ("pink noise, 20 dB below", 70, 300),
        ("white noise, 20 dB below", 70, 300),
        ("a fan, 10 dB below", 80, 300),
        ("white noise, 10 dB below", 100, 300),
        ("pink noise, 10 dB below", 120, 400),
    ],
)
def test_speech_is_found_while_it_begins(scene: str, median_ms: float, worst_ms: float) -> None:
    delays = delays_ms(*SPOKEN[scene])
    assert len(delays) >= 20
    assert np.median(delays) <= median_ms
    assert max(delays) <= worst_ms


@pytest.mark.parametrize(
    "noise",
    [name for name in NOISES if name not in ("a keyboard, peaks at -10 dBFS", "music, peaks at -20 dBFS")],
)
def test_what_is_no_speech_is_no_onset(noise: str) -> None:
    assert onsets(NOISES[noise]()) == []


def in_a_quiet_room(*sounds: Sound) -> Sound:
    sound = np.concatenate(sounds)
    return sound + at_dbfs(white(len(sound)), QUIET_DBFS)


def quiet(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def said() -> Sound:
    """A sentence from its first sample on."""
    sentence, first = next(sentences(-26))
    return sentence[first:]


def test_each_beginning_is_told_once() -> None:
    heard = in_a_quiet_room(quiet(1), said(), quiet(1), said(), quiet(1))
    again = RATE + len(said()) + RATE
    first, second = onsets(heard)
    assert 0 < first - RATE < 100 * MS
    assert 0 < second - again < 100 * MS


def test_the_pieces_that_it_comes_in_do_not_matter() -> None:
    heard = in_a_quiet_room(quiet(1), said())
    pcm = (heard * 32767).astype("<i2").tobytes()
    ends = []
    for piece in (2 * 7, 2 * 240, 2 * 481, 2 * 4800):
        watch = OnsetWatch()
        cuts = range(0, len(pcm), piece)
        ends.append([cut // 2 for cut in cuts if watch.begins(pcm[cut : cut + piece])])
    assert [len(found) for found in ends] == [1, 1, 1, 1]
    (exact,) = ends[0]
    assert all(exact - 4800 <= found <= exact for (found,) in ends)


def test_what_is_followed_while_nothing_sounds_is_known_as_well() -> None:
    """A fan, and then somebody who speaks over the voice: it is found in the same chunk."""
    heard = np.concatenate([quiet(1.05), said()]) + at_dbfs(white(RATE * 105 // 100 + len(said())), -45)
    pcm = (heard * 32767).astype("<i2").tobytes()
    chunks = [pcm[at : at + 960] for at in range(0, len(pcm), 960)]
    told, followed = OnsetWatch(), OnsetWatch()
    for chunk in chunks[:52]:
        told.begins(chunk)
        followed.follow(chunk)
    found = [told.begins(chunk, voice=True) for chunk in chunks[52:]]
    assert any(found)
    assert [followed.begins(chunk, voice=True) for chunk in chunks[52:]] == found
    deaf = OnsetWatch()  # who has not learnt the noise
    assert [deaf.begins(chunk, voice=True) for chunk in chunks[52:]] != found


def test_an_empty_chunk_is_nothing() -> None:
    assert not OnsetWatch().begins(b"")


def test_a_gate_that_opens_is_no_onset() -> None:
    """Without a canceller the microphone hears digital silence while the voice sounds: not a quieter room."""
    room = at_dbfs(white(2 * RATE), -45)
    assert onsets(np.concatenate([room, quiet(20), room])) == []


def test_a_tap_that_is_turned_on_is_one_onset_and_then_noise() -> None:
    before = at_dbfs(white(2 * RATE), QUIET_DBFS)
    blows = at_dbfs(pink(16 * RATE), -40)
    blows[12 * RATE : 12 * RATE + len(said())] += said()
    found = onsets(np.concatenate([before, blows]))
    assert len(found) == 2, found
    assert 0 < found[0] - 2 * RATE < 100 * MS
    assert 0 < found[1] - 14 * RATE < 200 * MS


def test_a_single_click_is_no_onset_however_loud() -> None:
    click = np.zeros(RATE, np.float32)
    click[CHUNK : CHUNK + 3 * MS] = 0.9
    assert onsets(in_a_quiet_room(quiet(1), click)) == []


@pytest.mark.aec
@pytest.mark.parametrize(
    ("delay_ms", "gain_db", "cut_s"), [(80, 0, 6.0), (250, -6, 6.0), (140, -12, 8.0), (60, 0, 8.0)]
)
def test_what_a_canceller_leaves_of_the_voice_is_no_onset(
    delay_ms: int, gain_db: float, cut_s: float
) -> None:
    """Nor when it has to learn the room again, after an interruption."""
    _, ends = left_of_the_voice(delay_ms=delay_ms, gain_db=gain_db, cut_s=cut_s, seconds=cut_s + 4)
    assert ends == []


@pytest.mark.aec
@pytest.mark.parametrize("gain_db", [-8, -20])
def test_who_speaks_over_the_voice_is_found_behind_a_canceller(gain_db: float) -> None:
    user = np.concatenate([quiet(3), said()])
    _, cleared = conversation(story(4.5), user, canceller, gain_db=gain_db)
    assert 0 < onsets(cleared, [(0, 9)])[0] - 3 * RATE <= 200 * MS


def test_a_young_voice_is_not_interrupted_by_what_is_faint() -> None:
    faint = in_a_quiet_room(quiet(1), said() * 10 ** (-18 / 20), quiet(1), said())
    (loud,) = onsets(faint, [(0.5, 2.4)])
    assert 0 < loud - (2 * RATE + len(said())) < 150 * MS
    assert len(onsets(faint)) == 2
