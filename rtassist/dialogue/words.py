"""Which words of a transcript have been heard, estimated from how much of its audio has sounded.

The server never says which word lies where in the audio, and the transcript runs ahead of the audio, so the
position is proportional: each character weighs what it takes to say, and a word counts as heard once the
audio has sounded up to its end. While the audio is still coming in, its full length is taken from the pace of
speech learnt from the items before.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

_PAUSES = {",": 4, ";": 5, ":": 5, ".": 8, "!": 8, "?": 8, "…": 8, "\n": 8, "—": 5, "–": 5}
_DIGIT_WEIGHT = 5
"""A digit is said as a word."""
_WORD_END = re.compile(r"\S(?=\s)")


@lru_cache(maxsize=512)
def _weight(character: str) -> int:
    return _DIGIT_WEIGHT if character.isdigit() else _PAUSES.get(character, 1)


def weight(transcript: str) -> int:
    """How long this takes to say, in units of about one letter."""
    return _measured(transcript)[0]


@lru_cache(maxsize=16)
def _measured(transcript: str) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """The weight of all of it; where its words but the last end, and the weight up to each of these.

    Remembered, for the loudspeaker reports ten times a second about the same words.
    """
    spent = tuple(accumulate(map(_weight, transcript), initial=0))
    ends = tuple(end.end() for end in _WORD_END.finditer(transcript))
    return spent[-1], ends, tuple(spent[end] for end in ends)


def heard_length(transcript: str, *, heard: int, total: int) -> int:
    """The number of leading characters of `transcript` that were heard, ending at the end of a word.

    `heard` of `total` samples have sounded, where `total` is what the whole transcript takes.
    """
    if heard >= total:
        return len(transcript)
    all_of_it, ends, spent = _measured(transcript)
    words = bisect_right(spent, all_of_it * heard // total)
    return ends[words - 1] if words else 0


def total_samples(transcript: str, *, arrived: int, whole: bool, pace: int) -> int:
    """How many samples the transcript takes to say: what arrived, or more while audio is still to come."""
    return arrived if whole else max(arrived, weight(transcript) * pace)


def learn_pace(pace: int, transcript: str, samples: int) -> int:
    """The pace (samples for one unit of weight) after an item whose audio and words are both complete."""
    units = weight(transcript)
    if units < 40 or not samples:
        return pace
    return (3 * pace + samples // units) // 4
