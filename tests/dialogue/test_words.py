"""Which words of a transcript have been heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.dialogue import words

SENTENCE = "one two, six ten"


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (0, ""),
        (2, ""),
        (3, "one"),
        (10, "one"),
        (11, "one two,"),
        (18, "one two, six"),
        (18.9, "one two, six"),
        (19, SENTENCE),
        (50, SENTENCE),
    ],
)
def test_a_word_is_heard_when_its_end_has_sounded(heard: float, text: str) -> None:
    """A comma is a pause: it weighs four letters, so the sentence takes 19."""
    length = words.heard_length(SENTENCE, heard=int(heard * 100), total=1900)
    assert SENTENCE[:length] == text


def test_a_digit_takes_as_long_as_a_word() -> None:
    assert words.weight("42") == words.weight("forty") * 2 == 10


def test_leading_space_is_no_word() -> None:
    assert words.heard_length("  one two", heard=3, total=9) == 0
    assert words.heard_length("  one two", heard=5, total=9) == 5


def test_nothing_takes_no_time() -> None:
    assert words.heard_length("", heard=0, total=0) == 0


def test_while_audio_is_still_to_come_its_length_is_guessed_from_the_words() -> None:
    assert words.total_samples("one two", arrived=100, whole=False, pace=1000) == 7000
    assert words.total_samples("one two", arrived=9000, whole=False, pace=1000) == 9000
    assert words.total_samples("one two", arrived=100, whole=True, pace=1000) == 100


@pytest.mark.parametrize(
    ("transcript", "samples", "pace"),
    [("a" * 40, 40 * 2000, (3 * 1600 + 2000) // 4), ("a" * 39, 39 * 2000, 1600), ("a" * 40, 0, 1600)],
)
def test_the_pace_is_learnt_slowly_and_not_from_scraps(transcript: str, samples: int, pace: int) -> None:
    assert words.learn_pace(1600, transcript, samples) == pace


@given(st.text(max_size=60), st.integers(0, 2000), st.integers(1, 2000), st.integers(0, 200))
def test_more_sound_is_never_fewer_words(text: str, heard: int, total: int, more: int) -> None:
    length = words.heard_length(text, heard=heard, total=total)
    assert 0 <= length <= words.heard_length(text, heard=heard + more, total=total) <= len(text)


@given(st.text(alphabet="ab .,1\n", max_size=60), st.integers(0, 2000), st.integers(1, 2000))
def test_words_are_not_cut(text: str, heard: int, total: int) -> None:
    length = words.heard_length(text, heard=heard, total=total)
    assert length in (0, len(text)) or (text[length].isspace() and not text[length - 1].isspace())
