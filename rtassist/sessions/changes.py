"""What would be asked for when something else had happened (see `what_if`). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import define, field, frozen

from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Effect, Hush, Play, Send
from rtassist.dialogue.state import SAMPLES_PER_MS, Conversation
from rtassist.dialogue.step import MIC_READS, begin, step
from rtassist.sessions import notation
from rtassist.sessions.reading import Asked, Begun, Gap, Happened, Heard, silence
from rtassist.sessions.replay import Difference, Moment, texts
from rtassist.sessions.what_if import Step


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
                moment = Moment(cause.line, cause.us, f'{{"mic":{cause.run[1]}}}', texts(was))
                yield Change(Difference(moment, texts(now), ()), each.happens)
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
            moment = Moment(cause.line, cause.us, _event_text(cause.event), texts(was))
            yield Change(Difference(moment, texts(now), ()), happens)
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


def _event_text(event: events.Event) -> str:
    if isinstance(event, events.ServerSaid | events.FrameUnreadable):
        return event.frame if isinstance(event.frame, str) else event.frame.decode(errors="replace")
    return "{" + notation.event_body(event).decode()
