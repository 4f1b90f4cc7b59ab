"""Numbers in English words, both ways."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty-first",
    "twenty-second",
    "twenty-third",
    "twenty-fourth",
    "twenty-fifth",
    "twenty-sixth",
    "twenty-seventh",
    "twenty-eighth",
    "twenty-ninth",
    "thirtieth",
    "thirty-first",
]

NUMERAL = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
_VALUES = {word: n for n, word in enumerate(UNITS)} | {word: 20 + 10 * n for n, word in enumerate(TENS)}


def in_words(n: int) -> str:
    """-999,999 to 999,999 in words ("three hundred and ninety-one"); beyond that, digits with commas."""
    if n < 0:
        return f"minus {in_words(-n)}"
    if n < 20:
        return UNITS[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{UNITS[n % 10]}" if n % 10 else "")
    if n < 1000:
        return f"{UNITS[n // 100]} hundred" + (f" and {in_words(n % 100)}" if n % 100 else "")
    if n < 1_000_000:
        joint = " and " if n % 1000 < 100 else " "
        return f"{in_words(n // 1000)} thousand" + (f"{joint}{in_words(n % 1000)}" if n % 1000 else "")
    return f"{n:,}"


def in_digits(value: Fraction) -> str:
    """A value as a speaker and a reader both take it: whole numbers with commas, others to three decimals,
    with "about" where that is not exact."""
    if value.denominator == 1:
        return f"{value.numerator:,}"
    rounded = round(value, 3)
    if rounded == 0:
        return "almost zero"
    digits = f"{float(rounded):,.3f}".rstrip("0").rstrip(".")
    return digits if rounded == value else f"about {digits}"


def value_of(words: Sequence[str]) -> Fraction:
    """The value of words as the grammar's number rule has them ("two", "hundred", "and", "five"), or of one
    numeral ("-3.5"). Raises ValueError for other words."""
    if len(words) == 1 and NUMERAL.fullmatch(words[0]):
        return Fraction(words[0])
    total = 0
    group = 0
    for word in words:
        if word in _VALUES:
            group += _VALUES[word]
        elif word in {"a", "an"}:
            group += 1
        elif word == "hundred":
            group *= 100
        elif word == "thousand":
            total, group = total + group * 1000, 0
        elif word != "and":
            raise ValueError(f"no number word: {word!r}")
    return Fraction(total + group)
