"""Where speech begins and ends in an utterance."""

from random import Random

import numpy as np
import pytest

from rtassist.server.utterance import RATE, Utterance

MARGIN_MS = 400
MS = RATE // 1000 * 2
"""Bytes."""


def sound(ms: int, level: float) -> bytes:
    noise = np.random.default_rng(3).normal(size=ms * RATE // 1000) * level
    return np.clip(noise, -32768, 32767).astype("<i2").tobytes()


def heard(pcm: bytes, at_once: int = 640) -> Utterance:
    utterance = Utterance(60)
    for start in range(0, len(pcm), at_once):
        utterance.add(pcm[start : start + at_once])
    return utterance


@pytest.mark.parametrize("background", [0, 3, 100])
@pytest.mark.parametrize("speech", [1000, 8000])
def test_speech_keeps_a_margin_of_what_is_around_it(background: float, speech: float) -> None:
    pcm = sound(1000, background) + sound(500, speech) + sound(2000, background)
    assert heard(pcm).trimmed() == pcm[(1000 - MARGIN_MS) * MS : (1500 + MARGIN_MS) * MS]


def test_where_there_is_less_silence_it_all_stays() -> None:
    pcm = sound(100, 3) + sound(500, 5000) + sound(60, 3)
    assert heard(pcm).trimmed() == pcm


def test_the_quiet_end_of_a_word_belongs_to_it() -> None:
    pcm = sound(1000, 3) + sound(500, 8000) + sound(200, 250) + sound(2000, 3)
    assert heard(pcm).trimmed() == pcm[600 * MS : (1700 + MARGIN_MS) * MS]


@pytest.mark.parametrize("pcm", [b"", bytes(2), bytes(1000 * MS), sound(1000, 2000)])
def test_where_nothing_stands_out_everything_stays(pcm: bytes) -> None:
    assert heard(pcm).trimmed() == pcm


def test_it_tells_as_soon_as_speech_has_begun() -> None:
    utterance = heard(sound(1000, 3))
    assert utterance.speech_frames == 0
    utterance.add(sound(100, 3000))
    assert utterance.speech_frames == 5
    assert utterance.beginning == (1000 - MARGIN_MS) * MS


def test_the_size_of_the_pieces_changes_nothing() -> None:
    pcm = sound(700, 3) + sound(500, 4000) + sound(900, 10)
    random = Random(5)
    whole = heard(pcm, len(pcm))
    pieces = Utterance(60)
    at = 0
    while at < len(pcm):
        size = random.randrange(1, 2000) * 2
        pieces.add(pcm[at : at + size])
        at += size
    assert pieces.trimmed() == whole.trimmed()
    assert (pieces.speech_frames, pieces.beginning) == (whole.speech_frames, whole.beginning)


def test_what_is_kept_is_bounded() -> None:
    utterance = Utterance(1)
    for _ in range(100):
        utterance.add(sound(100, 1000))
    assert len(utterance.pcm) == 1000 * MS
