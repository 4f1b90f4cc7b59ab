"""How alike two sentences are, by their words and by their sounds: whether two decoders heard the same."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

# The 39 phones of the CMU dictionary: the vowels, and consonants that a decoder takes for one another.
_KIN = (
    frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}),
    frozenset({"P", "T", "K"}),
    frozenset({"B", "D", "G"}),
    frozenset({"S", "Z", "SH", "ZH"}),
    frozenset({"F", "TH", "V", "DH"}),
    frozenset({"M", "N", "NG"}),
    frozenset({"L", "R", "W", "Y", "ER"}),
    frozenset({"CH", "JH", "SH"}),
    frozenset({"D", "T"}),
    frozenset({"B", "P"}),
    frozenset({"G", "K"}),
)


def words_alike(one: str, other: str) -> float:
    """Words that both have in the same order, as a share of the longer one's: 0 to 1."""
    ours, theirs = one.split(), other.split()
    if not ours or not theirs:
        return 0.0
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / max(len(ours), len(theirs))


def sounds_alike(one: Sequence[str], other: Sequence[str]) -> float:
    """1 less the edit distance of two series of phones, as a share of the longer one: 0 to 1. Another
    sound of the same kind costs half."""
    if not one or not other:
        return 0.0
    row = [float(column) for column in range(len(other) + 1)]
    for ours in one:
        above = row
        row = [above[0] + 1]
        for column, theirs in enumerate(other):
            row.append(min(above[column + 1] + 1, row[column] + 1, above[column] + _difference(ours, theirs)))
    return 1 - row[-1] / max(len(one), len(other))


def _difference(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return 0.5 if any({one, other} <= kin for kin in _KIN) else 1.0
