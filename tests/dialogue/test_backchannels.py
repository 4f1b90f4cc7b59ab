"""What is said while one listens, and what interrupts."""

import pytest

from rtassist.dialogue.backchannels import is_one, may_become_one


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", ""),
        ("en", " ... "),
        ("en", "Mm-hm."),
        ("en", "Mmmm-hmmm!"),
        ("en", "uh-huh, uh-huh"),
        ("en-GB", "Yeah, right, okay."),
        ("en", "I see."),
        ("en", "[coughs]"),
        ("en", "(clears throat) mhm *sighs* ♪"),
        ("de", "Ach so, ja, genau"),
        ("fr", "d'accord"),
        ("es", "Sí, claro."),
        ("ja", "hmm"),
        ("", "ja, okay, vale"),
    ],
)
def test_a_backchannel_and_every_beginning_of_it(language: str, text: str) -> None:
    assert is_one(text, language)
    assert all(may_become_one(text[:end], language) for end in range(len(text) + 1))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "no"),
        ("en", "Yeah, but"),
        ("en", "okay stop"),
        ("en", "I say"),
        ("en", "see"),
        ("en", "genau"),
        ("de", "Ja, aber"),
        ("", "mm-hm and then"),
        ("en", "[coughs] wait"),
        ("en", "東京"),
    ],
)
def test_words(language: str, text: str) -> None:
    assert not is_one(text, language)
    assert not may_become_one(text + " ", language)


def test_a_long_hum_is_read_at_once() -> None:
    assert is_one("hm " * 5000, "en")
    assert not is_one("hm " * 5000 + "what", "en")
