"""Text in pieces: words to write one after the other, and sentences to speak."""

from __future__ import annotations

import re

_WORD = re.compile(r"\s*\S+|\s+$")
# A digit before the full stop may be half of a number: wait for what follows.
_SENTENCE_END = re.compile(r"[.!?…:;]+[\"'”’)\]]*\s+|\n+|(?<![0-9.])[.!?…]+[\"'”’)\]]*$")


def words(text: str) -> list[str]:
    """Each with the space before it; put together they are `text`."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """Whole sentences with what is between them, and what may still grow (last, perhaps empty)."""
    pieces = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        pieces.append(text[start : end.end()])
        start = end.end()
    return [*pieces, text[start:]]
