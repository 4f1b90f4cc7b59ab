"""Numbers in words, both ways."""

from fractions import Fraction

import pytest

from rtassist.server.stand_in.numbers import in_digits, in_words, value_of


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (391, "three hundred and ninety-one"),
        (1000, "one thousand"),
        (1001, "one thousand and one"),
        (12_345, "twelve thousand three hundred and forty-five"),
        (999_999, "nine hundred and ninety-nine thousand nine hundred and ninety-nine"),
        (-17, "minus seventeen"),
        (1_000_000, "1,000,000"),
        (-1_000_000, "minus 1,000,000"),
    ],
)
def test_in_words(n: int, words: str) -> None:
    assert in_words(n) == words


def test_words_mean_the_number_that_they_were_made_from() -> None:
    for n in (*range(1200), 9_999, 10_000, 90_017, 123_456, 700_000, 999_999):
        assert value_of(in_words(n).replace("-", " ").split()) == n


@pytest.mark.parametrize(
    ("words", "value"),
    [("a hundred", 100), ("one hundred five", 105), ("-3.5", Fraction(-7, 2)), ("0.1", Fraction(1, 10))],
)
def test_value_of(words: str, value: Fraction) -> None:
    assert value_of(words.split()) == value


def test_no_number() -> None:
    with pytest.raises(ValueError, match="banana"):
        value_of(["banana"])


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (Fraction(391), "391"),
        (Fraction(998_001), "998,001"),
        (Fraction(-1, 2), "-0.5"),
        (Fraction(10, 3), "about 3.333"),
        (Fraction(1, 8), "0.125"),
        (Fraction(1, 100_000), "almost zero"),
        (Fraction(1_234_567, 100), "12,345.67"),
    ],
)
def test_in_digits(value: Fraction, digits: str) -> None:
    assert in_digits(value) == digits
