"""A recording with one cause changed: events in, events out; `changes` says what would be asked for. Pure.

What is changed is what happened, as far as it follows from the change alone; nobody knows what the server and
the user would have said then. Each function says what it leaves as it was.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import attrs
from attrs import frozen

from rtassist.dialogue import events
from rtassist.dialogue.state import SAMPLES_PER_MS
from rtassist.protocol import InputAudioBufferSpeechStarted, encode
from rtassist.sessions import notation
from rtassist.sessions.in_time import split
from rtassist.sessions.reading import Asked, Begun, Ended, Gap, Happened, Heard, Record, Torn

INSERTED: Final = "what_if"
"""The id of what was never there."""
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
        if limit.us is not None and not isinstance(record, Torn):
            if isinstance(record, Heard):
                yield from filter(None, split(record, limit.us + 1)[:1])
                continue
            if record.us > limit.us:
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


@frozen
class Step:
    """Something that happened, and what was asked for then. `happens`: it still does, after the change."""

    cause: Begun | Happened | Heard | Gap
    asked: tuple[Asked, ...] = ()
    happens: bool = True


def steps(records: Iterable[Record]) -> Iterator[Step]:
    """Each event with its effects. Raises what reading the records raises."""
    cause: Begun | Happened | Heard | Gap | None = None
    asked: list[Asked] = []
    for record in records:
        if isinstance(record, Asked):
            asked.append(record)
        elif not isinstance(record, Ended | Torn):
            if cause is not None:
                yield Step(cause, tuple(asked))
            cause, asked = record, []
    if cause is not None:
        yield Step(cause, tuple(asked))


def barge_in(of: Iterable[Step], at_us: int) -> Iterator[Step]:
    """The server hears the user at this time: `speech_started` of a new item, and nothing else.

    The user speaks on until the recording's next `speech_stopped`, and no words of it come. What the server
    was making goes on coming as recorded, though it would have broken off. Nothing is changed where the
    recording does not last so long.
    """
    event = InputAudioBufferSpeechStarted(item_id=INSERTED, audio_start_ms=at_us // 1000, event_id=INSERTED)
    said = events.ServerSaid(event, encode(event))
    line, done = 0, False
    for each in of:
        for piece in (each,) if done else _parted(each, at_us):
            if line and not done and piece.cause.us >= at_us:
                yield Step(Happened(line, at_us, said))
                done = True
            line = piece.cause.line
            yield piece


def without_playback(of: Iterable[Step]) -> Iterator[Step]:
    """No report of the loudspeaker comes: neither how far a voice is, nor that it has ended."""
    reports = (events.PlaybackAdvanced, events.PlaybackEnded, events.VoiceStarved)
    for each in of:
        dropped = isinstance(each.cause, Happened) and isinstance(each.cause.event, reports)
        yield attrs.evolve(each, happens=False) if dropped else each


_FOLLOW: Final = (
    *(events.ServerSaid, events.FrameUnreadable, events.LinkLost, events.ToolEnded, events.TimerDue),
    *(events.PlaybackAdvanced, events.PlaybackEnded, events.VoiceStarved),
)


def slower(of: Iterable[Step], delay_us: int) -> Iterator[Step]:
    """All that the server says comes so much later, as with so much more of a round trip.

    So does what follows from it: how far its voices have sounded, results of functions, alarms that it set.
    Microphone, keyboard and devices do what they did when they did it; a voice that was silenced from there
    had sounded for so much less by then. That the server answers something else then is not in it.
    """
    waiting: deque[Step] = deque()
    alarms: set[str] = set()  # set by what is late
    silenced: set[str] = set()  # by what is not
    for each in of:
        cause = each.cause
        if isinstance(cause, Begun | Gap):
            while waiting:
                yield _at(waiting.popleft(), cause.us)
            alarms.clear()
            silenced.clear()
        late = isinstance(cause, Happened) and isinstance(cause.event, _FOLLOW)
        if isinstance(cause, Happened):
            match cause.event:
                case events.AlarmRang(name=name):
                    late = name in alarms
                case events.PlaybackEnded(item_id=item_id, heard=heard) if item_id in silenced:
                    late = False
                    less = max(0, heard - delay_us * SAMPLES_PER_MS // 1000)
                    cause = attrs.evolve(cause, event=events.PlaybackEnded(item_id, less))
                    each = attrs.evolve(each, cause=cause)
        for asked in each.asked:
            body = asked.body
            if body.startswith(b'"effect":"set_alarm"'):
                name = notation.parse(b"{" + body)["name"]
                (alarms.add if late else alarms.discard)(name)
            elif body.startswith(b'"effect":"hush"') and not late:
                silenced.add(notation.parse(b"{" + body)["item_id"])
        if late:
            waiting.append(_at(each, cause.us + delay_us))
            continue
        rest = [each]
        while waiting and rest:
            due_us = waiting[0].cause.us
            *before, last = _parted(rest[0], due_us)
            yield from before
            rest = [last]
            if last.cause.us + _length_us(last.cause) < due_us:
                break
            yield waiting.popleft()
        yield from rest
    yield from waiting


def _at(each: Step, us: int) -> Step:
    return attrs.evolve(each, cause=attrs.evolve(each.cause, us=max(us, each.cause.us)))


def _parted(each: Step, at_us: int) -> tuple[Step, ...]:
    """Chunks of the microphone as two, those before this time and those from it on. What was asked for
    besides sending them was asked for at the last one.
    """
    if not isinstance(each.cause, Heard):
        return (each,)
    before, behind = split(each.cause, at_us)
    if before is None or behind is None:
        return (each,)
    return Step(before), attrs.evolve(each, cause=behind)


def _length_us(cause: Begun | Happened | Heard | Gap) -> int:
    return cause.chunks[-1][0] if isinstance(cause, Heard) else 0
