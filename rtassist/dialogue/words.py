"""Which words of a transcript have been heard, estimated from how much of its audio has sounded.

The server never says which word lies where in the audio, and the transcript runs ahead of the audio, so the
position is proportional: each character weighs what it takes to say, and a word counts as heard once the
audio has sounded up to its end. While the audio is still coming in, its full length is taken from the pace of
speech learnt from the items before.
"""

from __future__ import annotations

_PAUSES = {",": 4, ";": 5, ":": 5, ".": 8, "!": 8, "?": 8, "…": 8, "\n": 8, "—": 5, "–": 5}
_DIGIT_WEIGHT = 5
"""A digit is said as a word."""


def _weight(character: str) -> int:
    return _DIGIT_WEIGHT if character.isdigit() else _PAUSES.get(character, 1)


def weight(transcript: str) -> int:
    """How long this takes to say, in units of about one letter."""
    return sum(map(_weight, transcript))


def heard_length(transcript: str, *, heard: int, total: int) -> int:
    """The number of leading characters of `transcript` that were heard, ending at the end of a word.

    `heard` of `total` samples have sounded, where `total` is what the whole transcript takes.
    """
    if heard >= total:
        return len(transcript)
    budget = weight(transcript) * heard
    spent = 0
    end = 0
    for index, character in enumerate(transcript):
        if character.isspace() and spent * total <= budget and transcript[end:index].strip():
            end = index
        spent += _weight(character)
        if spent * total > budget:
            break
    return end


def total_samples(transcript: str, *, arrived: int, whole: bool, pace: int) -> int:
    """How many samples the transcript takes to say: what arrived, or more while audio is still to come."""
    return arrived if whole else max(arrived, weight(transcript) * pace)


def learn_pace(pace: int, transcript: str, samples: int) -> int:
    """The pace (samples for one unit of weight) after an item whose audio and words are both complete."""
    units = weight(transcript)
    if units < 40 or not samples:
        return pace
    return (3 * pace + samples // units) // 4
