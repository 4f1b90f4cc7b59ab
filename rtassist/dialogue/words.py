"""Which words of a transcript have been heard, estimated from how much of its audio has sounded.

The server never says which word lies where in the audio, and the transcript runs ahead of the audio, so the
position is proportional: each character weighs what it takes to say, and a word counts as heard once the
audio has sounded up to its end. While the audio is still coming in, its full length is taken from the pace of
speech learnt from the items before.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

_PAUSES = {",": 4, ";": 5, ":": 5, ".": 8, "!": 8, "?": 8, "…": 8, "\n": 8, "—": 5, "–": 5}
_DIGIT_WEIGHT = 5
"""A digit is said as a word."""


class _Weights(dict[int, str]):
    """Of a character, as the character of that number: `str.translate` and bytes are ten times faster than a
    loop, and a transcript of minutes is measured again with each of its words.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = chr(_DIGIT_WEIGHT if character.isdigit() else _PAUSES.get(character, 1))
        return self[code]


_WEIGHTS = _Weights()


def _each(transcript: str) -> bytes:
    return transcript.translate(_WEIGHTS).encode()


def weight(transcript: str) -> int:
    """How long this takes to say, in units of about one letter."""
    return sum(_each(transcript))


@lru_cache(maxsize=16)
def _spent(transcript: str) -> tuple[int, ...]:
    """The weight up to each character, and of all.

    Remembered, for the loudspeaker reports ten times a second about the same words.
    """
    return tuple(accumulate(_each(transcript), initial=0))


def heard_length(transcript: str, *, heard: int, total: int) -> int:
    """The number of leading characters of `transcript` that were heard, ending at the end of a word.

    `heard` of `total` samples have sounded, where `total` is what the whole transcript takes.
    """
    if heard >= total:
        return len(transcript)
    if not heard:
        return 0
    spent = _spent(transcript)
    end = bisect_right(spent, spent[-1] * heard // total) - 1
    while end and not (transcript[end].isspace() and not transcript[end - 1].isspace()):
        end -= 1
    return end


def total_samples(transcript: str, *, arrived: int, whole: bool, pace: int) -> int:
    """How many samples the transcript takes to say: what arrived, or more while audio is still to come."""
    return arrived if whole else max(arrived, _spent(transcript)[-1] * pace)


def learn_pace(pace: int, transcript: str, samples: int) -> int:
    """The pace (samples for one unit of weight) after an item whose audio and words are both complete."""
    units = weight(transcript)
    if units < 40 or not samples:
        return pace
    return (3 * pace + samples // units) // 4
