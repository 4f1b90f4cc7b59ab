"""A recording with one cause changed, and what would be asked for then. Pure.

What is changed is what happened, as far as it follows from the change alone; nobody knows what the server and
the user would have said then. Each function says what it leaves as it was.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import attrs
import orjson
from attrs import define, field, frozen

from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Effect, Hush, Play, Send
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import MIC_READS, begin, step
from rtassist.protocol import InputAudioBufferSpeechStarted, encode
from rtassist.sessions import notation
from rtassist.sessions.reading import Asked, Begun, Ended, Gap, Happened, Heard, Record, Torn, silence
from rtassist.sessions.replay import Difference, Moment

SAMPLES_PER_MS: Final = 24
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
                yield from filter(None, _split(record, limit.us + 1)[:1])
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
    before, behind = _split(each.cause, at_us)
    if before is None or behind is None:
        return (each,)
    return Step(before), attrs.evolve(each, cause=behind)


def _length_us(cause: Begun | Happened | Heard | Gap) -> int:
    return cause.chunks[-1][0] if isinstance(cause, Heard) else 0


def _split(heard: Heard, at_us: int) -> tuple[Heard | None, Heard | None]:
    """The chunks before this time, and those from it on."""
    chunks = heard.chunks
    if heard.us >= at_us:
        return None, heard
    if heard.us + chunks[-1][0] < at_us:
        return heard, None
    before = [chunk for chunk in chunks if heard.us + chunk[0] < at_us]
    behind = chunks[len(before) :]
    samples, moved = sum(chunk[1] for chunk in before), behind[0][0]
    first = attrs.evolve(heard, run=(heard.run[0], samples), text=orjson.dumps(before)[1:-1])
    second = attrs.evolve(
        heard,
        us=heard.us + moved,
        run=(heard.run[0] + samples, heard.run[1] - samples),
        text=orjson.dumps([(at - moved, length) for at, length in behind])[1:-1],
    )
    return first, second


@frozen
class Change:
    """Something else is asked for now. `happens`: the event of it still happens."""

    difference: Difference
    happens: bool


def changes(of: Iterable[Step], *, reported: bool = True) -> Iterator[Change]:
    """What is sent, played, silenced or called now and was not then, and the other way round.

    `reported`: a voice that is silenced now and was not then has sounded as far as its last report and the
    time since say, at most all that had been handed over; that is reported at once, and no report of it comes
    any more.
    How `rta_` ids are counted is no difference. What follows a gap is not compared until the next
    conversation begins.
    """
    fold = _Fold(reported)
    for each in of:
        yield from fold.take(each)


_LEAVING: Final = (Send, Play, effects.Finish, Hush, effects.CallTool, effects.Quit)
_LEFT: Final = (
    b'"client"',
    *(b'"effect":"%b"' % name for name in (b"append", b"play", b"finish", b"hush", b"call_tool", b"quit")),
)
_APPEND: Final = b'"effect":"append"'
_OUR_ID: Final = re.compile(rb'"rta_\d+"')


@define
class _Voice:
    """What the loudspeaker has of an item."""

    began_us: int
    handed: int = 0
    told_us: int | None = None
    heard: int = 0

    def heard_at(self, us: int) -> int:
        since_us = us - (self.began_us if self.told_us is None else self.told_us)
        return min(self.handed, self.heard + max(0, since_us) * SAMPLES_PER_MS // 1000)


@define
class _Fold:
    _report_silence: bool
    _state: Conversation | None = None
    _began_us: int = 0
    _voices: dict[str, _Voice] = field(factory=dict)
    """In the order in which they sound."""
    _silenced: set[str] = field(factory=set)
    """Whose report has been given."""

    def take(self, each: Step) -> Iterator[Change]:
        cause = each.cause
        if isinstance(cause, Begun):
            self._state, self._began_us = begin(cause.terms), cause.us
            self._voices, self._silenced = {}, set()
        elif isinstance(cause, Gap):
            self._state = None
        if self._state is None or isinstance(cause, Begun | Gap):
            return
        if isinstance(cause, Heard):
            now = self._mic(cause, self._state)
            was = _as_one(cause.run[1] if cause.appended else 0, _leaving(each.asked))
            if _alike(now) != _alike(was):
                moment = Moment(cause.line, cause.us, f'{{"mic":{cause.run[1]}}}', _texts(was))
                yield Change(Difference(moment, _texts(now), ()), each.happens)
            return
        yield from self._happened(each, cause, self._state)

    def _happened(self, each: Step, cause: Happened, state: Conversation) -> Iterator[Change]:
        report = cause.event
        happens = each.happens
        if isinstance(report, events.PlaybackAdvanced | events.PlaybackEnded | events.VoiceStarved):
            happens = happens and report.item_id not in self._silenced
            self._reported(cause.us, report)
        asked: tuple[Effect, ...] = ()
        if happens:
            self._state, asked = step(state, cause.us - self._began_us, cause.event)
        now = _bodies(asked)
        was = _leaving(each.asked)
        if _alike(now) != _alike(was):
            moment = Moment(cause.line, cause.us, _event_text(cause.event), _texts(was))
            yield Change(Difference(moment, _texts(now), ()), happens)
        hushed = [effect.item_id for effect in asked if isinstance(effect, Hush)]
        for effect in asked:
            if isinstance(effect, Play):
                voice = self._voices.setdefault(effect.item_id, _Voice(cause.us))
                voice.handed += effect.samples
        for item_id in hushed if self._report_silence else ():
            if not any(body.startswith(b'"effect":"hush"') and _id(body) == item_id for body in was):
                yield from self._silence(item_id, cause)

    def _silence(self, item_id: str, cause: Happened) -> Iterator[Change]:
        """Nobody reported that it is silenced: it was not."""
        sounding = next(iter(self._voices), None)
        voice = self._voices.get(item_id)
        heard = voice.heard_at(cause.us) if voice is not None and item_id == sounding else 0
        report = events.PlaybackEnded(item_id, heard)
        yield from self.take(Step(Happened(cause.line, cause.us, report)))
        self._silenced.add(item_id)

    def _reported(
        self, us: int, report: events.PlaybackAdvanced | events.PlaybackEnded | events.VoiceStarved
    ) -> None:
        voice = self._voices.get(report.item_id)
        if isinstance(report, events.PlaybackEnded):
            self._voices.pop(report.item_id, None)
            for behind in self._voices.values():  # the next one begins now
                behind.began_us = max(behind.began_us, us)
                break
        elif voice is not None and isinstance(report, events.PlaybackAdvanced):
            voice.told_us, voice.heard = us, report.heard

    def _mic(self, heard: Heard, state: Conversation) -> list[bytes]:
        """What is sent of a run, as one."""
        sent: list[bytes] = []
        again = 0
        settled: object = None  # see `replay`: chunks of one length that change nothing mean the same
        length = appended = 0
        for at_us, samples in heard.chunks:
            if settled is not None and samples == length:
                again += appended
                continue
            us = heard.us - self._began_us + at_us
            after, asked = step(state, us, events.MicHeard(silence(samples)))
            sent += _bodies(asked)
            appended = sum(effect.samples for effect in asked if isinstance(effect, Send))
            settled = MIC_READS(after) if after is state else None
            state, length = after, samples
        self._state = state
        return _as_one(again, sent)


def _as_one(samples: int, bodies: list[bytes]) -> list[bytes]:
    """So much of the microphone, and all else, with what the microphone sent in one piece."""
    appends = [body for body in bodies if body.startswith(_APPEND)]
    samples += sum(notation.parse(b"{" + body)["samples"] for body in appends)
    others = [body for body in bodies if not body.startswith(_APPEND)]
    return [b'"effect":"append","samples":%d}' % samples, *others] if samples else others


def _bodies(asked: Iterable[Effect]) -> list[bytes]:
    return [notation.effect_body(effect) for effect in asked if isinstance(effect, _LEAVING)]


def _leaving(asked: Iterable[Asked]) -> list[bytes]:
    return [each.body for each in asked if each.body.startswith(_LEFT)]


def _alike(bodies: Iterable[bytes]) -> list[bytes]:
    return [_OUR_ID.sub(b"", body) for body in bodies]


def _id(body: bytes) -> object:
    return notation.parse(b"{" + body).get("item_id")


def _texts(bodies: Iterable[bytes]) -> tuple[str, ...]:
    return tuple("{" + body.decode() for body in bodies)


def _event_text(event: events.Event) -> str:
    if isinstance(event, events.ServerSaid | events.FrameUnreadable):
        return event.frame if isinstance(event.frame, str) else event.frame.decode(errors="replace")
    return "{" + notation.event_body(event).decode()
