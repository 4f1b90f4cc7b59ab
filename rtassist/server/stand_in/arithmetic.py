"""Sums in words: what was asked, worked out exactly, and said as one says it."""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from rtassist.server.stand_in.numbers import in_digits, in_words, value_of
from rtassist.server.stand_in.phrases import Meaning

_OPERATORS = {
    "plus": "+",
    "add": "+",
    "added to": "+",
    "minus": "-",
    "less": "-",
    "subtract": "-",
    "take away": "-",
    "times": "*",
    "multiplied by": "*",
    "divided by": "/",
    "over": "/",
    "by": "*",
    "percent of": "%",
    "per cent of": "%",
    "modulo": "mod",
}
_SAID = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "/": "divided by",
    "%": "percent of",
    "mod": "modulo",
}
_VERBS = {"add": "+", "subtract": "-", "take": "-", "multiply": "*", "divide": "/"}
_BINDS_TIGHTER = frozenset({"*", "/", "%", "mod"})
_SHORT = {"double": ("*", Fraction(2)), "halve": ("/", Fraction(2))}


@frozen(kw_only=True)
class Sum:
    """`value` None: what was asked has no value, and `said` is the reason."""

    said: str
    value: Fraction | None


def work_out(meaning: Meaning, last: Fraction | None) -> Sum:
    """The value of an arithmetic sentence. `last` is the result that "that" and "plus five" build upon."""
    numbers, operators = _read(meaning, last)
    if any(number is None for number in numbers):
        return Sum(said="There is no result yet to go on from.", value=None)
    known = [number for number in numbers if number is not None]
    question = " ".join(
        part
        for index, number in enumerate(known)
        for part in ([_SAID[operators[index - 1]]] if index else []) + [_number(number)]
    )
    value = _value(known, operators)
    if value is None:
        return Sum(said="Nothing can be divided by zero.", value=None)
    return Sum(said=f"{question[0].upper()}{question[1:]} is {in_digits(value)}.", value=value)


def _read(meaning: Meaning, last: Fraction | None) -> tuple[list[Fraction | None], list[str]]:
    words = meaning.words
    for short, (operator, by) in _SHORT.items():
        if short in words:
            return [last, by], [operator]
    if "square" in words:
        return [last, last], ["*"]
    verb = next((word for word in words if word in _VERBS), None)
    if verb is not None and not meaning.every("operator"):
        return [last, _signed(meaning.first("number"))], [_VERBS[verb]]
    numbers: list[Fraction | None] = []
    operators: list[str] = []
    for name, said in meaning.captures:
        if name == "operator":
            if not numbers:
                numbers.append(last)
            operators.append(_OPERATORS[" ".join(said)])
        elif name == "number":
            numbers.append(_signed(said))
    return numbers, operators


def _signed(words: tuple[str, ...]) -> Fraction:
    return -value_of(words[1:]) if words[0] == "minus" else value_of(words)


def _value(numbers: list[Fraction], operators: list[str]) -> Fraction | None:
    """Times and divided by before plus and minus; None for a division by zero."""
    terms = [numbers[0]]
    signs = []
    for operator, number in zip(operators, numbers[1:], strict=True):
        if operator in _BINDS_TIGHTER:
            value = _apply(operator, terms[-1], number)
            if value is None:
                return None
            terms[-1] = value
        else:
            signs.append(operator)
            terms.append(number)
    total = terms[0]
    for sign, term in zip(signs, terms[1:], strict=True):
        total = total + term if sign == "+" else total - term
    return total


def _apply(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    if operator == "*":
        return left * right
    if operator == "%":
        return left * right / 100
    if right == 0:
        return None
    return left / right if operator == "/" else left % right


def _number(value: Fraction) -> str:
    if value.denominator == 1 and abs(value) < 1_000_000:
        return in_words(int(value))
    return in_digits(value)
