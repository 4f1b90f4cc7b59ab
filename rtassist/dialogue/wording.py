"""Function calls in words: what the user reads of them, and what the model is told."""

from __future__ import annotations

import json

SHORT = 60
"""Characters of an argument or result that say what it is about."""
WHOLE = 600
"""Characters of an argument of which the user decides whether it may be used."""


def call(name: str, arguments: str, most: int = SHORT) -> str:
    """`roll_dice(sides=6)`. Arguments that are no JSON object stand there as they are."""
    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return f"{clear(name)}({short(arguments, most)})"
    told = (
        f"{clear(key)}={short(json.dumps(value, ensure_ascii=False), most)}" for key, value in given.items()
    )
    return f"{clear(name)}({', '.join(told)})"


def short(text: str, most: int = SHORT) -> str:
    """One line of it; what is left out is counted, so that nothing hides behind the end."""
    line = clear(" ".join(text.split()))
    if len(line) <= most:
        return line
    return f"{line[:most]}… ({len(line)} characters)"


def clear(text: str) -> str:
    """Without what a terminal obeys, or what turns the direction of writing around."""
    return "".join(character if character.isprintable() else "�" for character in text)


def error(reason: str) -> str:
    """What the model reads in place of a result."""
    return json.dumps({"error": reason}, ensure_ascii=False)
