"""The exact replay: a recording folded through `step` again, and every effect compared with the recorded one.

No clock, no task, no device: what was decided depends on the events, their times and the terms, and all of
them are in the recording. Sound is not needed, for decisions depend on lengths alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from attrs import frozen

from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import MIC_READS, begin, step
from rtassist.sessions import notation, reading
from rtassist.sessions.journal import blotted
from rtassist.sessions.reading import Asked, Begun, Gap, Happened, Heard, Record, Torn
from rtassist.sessions.summary import Summary, Tally

CONTEXT: Final = 4
"""Moments before a difference that are told with it."""

Cause = Begun | Happened | Heard
Told = tuple[Cause, list[bytes]]
"""A cause, and the bodies of what was asked for then."""


@frozen
class Moment:
    """One event of a recording and what was asked for then, each as JSON text."""

    line: int
    us: int
    event: str
    effects: tuple[str, ...]


@frozen
class Difference:
    """Something else is asked for now than when it was recorded."""

    at: Moment
    """As it was recorded."""
    now: tuple[str, ...]
    """The effects now, as JSON text."""
    before: tuple[Moment, ...]
    """The moments before it, the nearest one last."""


@frozen
class Equal:
    """Everything that can be compared is as it was. `notes`: what could not be, in sentences."""

    summary: Summary
    notes: tuple[str, ...] = ()


@frozen
class Different:
    """The first difference."""

    difference: Difference
    notes: tuple[str, ...] = ()


def replay(lines: Iterable[bytes]) -> Equal | Different:
    """Replay a recording, given as its lines with their line feeds, as far as it is equal.

    It is read as it is compared, and nothing of it is kept. Raises Damaged.
    """
    folding = Replay(lines)
    for difference in folding.differences():
        return Different(difference, folding.notes())
    return Equal(folding.summary(), folding.notes())


class Replay:
    """One reading of a recording: its differences, and what there is to say when they have been read."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        """Reads the header. Raises Damaged."""
        self._lines = iter(lines)
        self.header = reading.header(next(self._lines, b""))
        self._tally = Tally(self.header)

    def differences(self) -> Iterator[Difference]:
        """All of them, as they are read; behind one the conversation goes on as it is decided now.

        Raises Damaged.
        """
        foreseen: list[bytes] = []
        return differences(reading.records(self._lines, foreseen), foreseen, self._tally)

    def summary(self) -> Summary:
        return self._tally.summary()

    def notes(self) -> tuple[str, ...]:
        """What could not be compared, in sentences."""
        return self._tally.notes()


def differences(
    records: Iterable[Record], foreseen: list[bytes] | None = None, tally: Tally | None = None
) -> Iterator[Difference]:
    """Where the recorded effects are not those of now. Raises what reading the records raises.

    What follows a gap is not compared until the next conversation begins, for its state is not known. Of the
    last event before a gap, and of a recording that was not closed, effects may be missing.

    `foreseen` is told of the effects of now before the next record is read, and `tally` of each record.
    """
    foreseen = [] if foreseen is None else foreseen
    tally = Tally() if tally is None else tally
    state: Conversation | None = None
    began_us = 0
    cause: Cause | None = None
    now: list[bytes] = []
    asked: list[bytes] = []
    before: deque[Told] = deque(maxlen=CONTEXT)
    run = _Run()
    for record in chain(records, (None,)):
        if now and cause is not None and not asked:  # these are the lines that were as foreseen
            asked = now[: len(now) - len(foreseen)]
            for line, body in enumerate(asked, cause.line + 1):
                tally.asked(line, cause.us, body)
        if record is None:
            tally.over()
        else:
            tally.take(record)
        if type(record) is Asked:
            asked.append(record.body)
            continue
        if cause is not None:
            if asked != now:
                complete = record is not None and type(record) is not Gap and type(record) is not Torn
                if found := _compared(cause, asked, now, before, complete):
                    yield found
            before.append((cause, asked))
            cause = None
        now, asked = [], []
        if type(record) is Happened and state is not None:
            state, effects = step(state, record.us - began_us, record.event)
            cause = record
            if effects:
                now = [*map(notation.effect_body, effects)]
        elif type(record) is Heard and state is not None:
            cause = record
            if not run.goes_on(state, record):
                state, effects, asked = run.decided(state, record.us - began_us, record)
                now = [*map(notation.effect_body, effects)]
                if run.odd is not None:
                    yield Difference(*run.odd, _told(before))
        elif type(record) is Begun:
            state, began_us, cause = begin(record.terms), record.us, record
        elif type(record) is Gap:
            state = None
        if now or foreseen:
            foreseen[:] = now


class _Run:
    """Chunks of the microphone, of which nothing came in between.

    `step` is a pure function: when a chunk has left the very state that it found, the next ones of its length
    do the same and need not be decided, as long as what they are decided by is the same. In a conversation
    that is nearly all of them.
    """

    def __init__(self) -> None:
        self.odd: tuple[Moment, tuple[str, ...]] | None = None
        """The first chunk of the last run, other than its last one, about which something else is asked for
        now."""
        self._settled: object = None  # a chunk as the next two say changes nothing while this is so
        self._samples = 0
        self._appended = False

    def goes_on(self, state: Conversation, heard: Heard) -> bool:
        """All of it is as the chunk was that was decided last, and changes nothing."""
        return (
            0 < heard.each == self._samples
            and heard.appended is self._appended
            and MIC_READS(state) == self._settled
        )

    def decided(
        self, state: Conversation, us: int, heard: Heard
    ) -> tuple[Conversation, tuple[Effect, ...], list[bytes]]:
        """The state behind the run; the effects of its last chunk and what the line says about them, unless
        they are the same."""
        self.odd = None
        if heard.appended != self._appended:
            self._settled, self._appended = None, heard.appended
        effects: tuple[Effect, ...] = ()
        asked: list[bytes] = []
        different: tuple[Moment, tuple[str, ...]] | None = None
        for at_us, samples in _chunks(heard):
            self.odd = self.odd or different
            if samples == self._samples and MIC_READS(state) == self._settled:
                if heard.each:
                    return state, (), []
                effects, asked, different = (), [], None
                continue
            after, effects = step(state, us + at_us, events.MicHeard(reading.silence(samples)))
            asked = [b'"effect":"append","samples":%d}' % samples] if heard.appended else []
            now = _bodies(effects)
            if now == asked:
                different = None
                if after is state:
                    self._settled, self._samples = MIC_READS(state), samples
            else:
                chunk = Moment(heard.line, heard.us + at_us, f'{{"mic":{samples}}}', texts(asked))
                different = chunk, texts(now)
            state = after
        return state, effects, asked


def _chunks(heard: Heard) -> Iterator[tuple[int, int]]:
    """The first one without reading the others, for it mostly is enough."""
    if heard.each:
        yield heard.first_us, heard.each
        yield from heard.chunks[1:]
    else:
        yield from heard.chunks


def _compared(
    cause: Cause,
    asked: list[bytes],
    now: list[bytes],
    before: Iterable[Told],
    complete: bool,
) -> Difference | None:
    """`complete`: all that was asked for then has been recorded, and not only the first of it."""
    now = [*map(blotted, now)]
    if now == asked or (not complete and now[: len(asked)] == asked):
        return None
    return Difference(_moment(cause, asked), texts(now), _told(before))


def _bodies(effects: Iterable[Effect]) -> list[bytes]:
    return [blotted(notation.effect_body(effect)) for effect in effects]


def texts(bodies: Iterable[bytes]) -> tuple[str, ...]:
    return tuple("{" + body.decode() for body in bodies)


def _told(moments: Iterable[Told]) -> tuple[Moment, ...]:
    return tuple(_moment(cause, asked) for cause, asked in moments)


def _moment(cause: Cause, asked: Iterable[bytes]) -> Moment:
    match cause:
        case Begun():
            event = '{"begin":{}}'
        case Heard(chunks=chunks):
            event = f'{{"mic":{chunks[-1][1]}}}'
        case Happened(event=events.ServerSaid(frame=frame) | events.FrameUnreadable(frame=frame)):
            event = frame if isinstance(frame, str) else frame.decode(errors="replace")
        case Happened(event=happened):
            event = "{" + notation.event_body(happened).decode()
    us = cause.last_us if isinstance(cause, Heard) else cause.us
    return Moment(cause.line, us, event, texts(asked))
