"""A recording with one cause changed, and what would be asked for then. Pure.

What is changed is what happened, as far as it follows from the change alone; nobody knows what the server and
the user would have said then. Each function says what it leaves as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import frozen

from rtassist.dialogue import events
from rtassist.protocol import InputAudioBufferSpeechStarted
from rtassist.sessions.reading import Happened, Record, Torn

_TURN: Final = re.compile(r"turn:(\d{1,9})")
_TIME: Final = re.compile(r"(?:(\d{1,6}):)?(?:(\d{1,6}):)?(\d{1,9}(?:\.\d{1,6})?)(s|ms)?")


def time_us(text: str) -> int | None:
    """`12.4s`, `12.4`, `300ms`, `1:02.5` or `1:00:02` in microseconds; None for what is no time."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, unit = match.groups()
    if minutes is None:
        hours, minutes = None, hours
    if unit == "ms":
        return None if minutes else round(float(seconds) * 1000)
    return round(((int(hours or 0) * 60 + int(minutes or 0)) * 60 + float(seconds)) * 1_000_000)


@frozen
class End:
    """Where a recording is to end: at this time, or before the user's turn behind this one begins."""

    us: int | None = None
    turn: int | None = None


def end(text: str) -> End | None:
    """`turn:3`, or a time as `time_us` reads it; None for anything else."""
    if match := _TURN.fullmatch(text.strip()):
        return End(turn=int(match[1]))
    us = time_us(text)
    return None if us is None else End(us=us)


def until(records: Iterable[Record], limit: End) -> Iterator[Record]:
    """The records up to there. A turn of the user begins when the server hears him, or he types a message, or
    presses the key to talk.
    """
    turns = 0
    for record in records:
        if limit.us is not None and not isinstance(record, Torn) and record.us > limit.us:
            return
        turns += _begins_turn(record)
        if limit.turn is not None and turns > limit.turn:
            return
        yield record


def _begins_turn(record: Record) -> bool:
    match record:
        case Happened(event=events.ServerSaid(event=InputAudioBufferSpeechStarted())):
            return True
        case Happened(event=events.TalkPressed()):
            return True
        case Happened(event=events.Typed(text=text)):
            return bool(text.strip()) and not text.lstrip().startswith("/")
    return False
