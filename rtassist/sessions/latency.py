"""How long each turn of the user waited: folded from what passes, live or out of a recording. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, get_args

import attrs
from attrs import frozen

from rtassist.dialogue import effects, events
from rtassist.dialogue.effects import Effect
from rtassist.dialogue.events import Event
from rtassist.protocol import (
    InputAudioBufferCommit,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ResponseCreated,
    ResponseOutputAudioDelta,
)

US_PER_SAMPLE: Final = 1_000_000 / 24_000


@frozen(kw_only=True)
class Latency:
    """How long one turn of the user waited, in µs since it ended; None for what did not come.

    The end of a spoken turn is when the server's word of it arrived (`speech_stopped`), with push to talk
    when the turn was committed, of a typed one when it was typed.
    """

    at_us: int
    """When the turn ended, since the recording began."""
    committed_us: int | None = None
    created_us: int | None = None
    """`response.created`. Until here and until the first audio it is the server's and the network's share."""
    first_audio_us: int | None = None
    played_us: int | None = None
    """The first samples were handed to the loudspeaker."""


@frozen(kw_only=True)
class Wait:
    """Of one turn that was answered. `sounded_us`, since the turn ended: the first sample of the answer was
    at the loudspeaker; by the loudspeaker's first report of it, less what had sounded by then. None where
    there was none.
    """

    latency: Latency
    sounded_us: int | None = None

    @property
    def steps_us(self) -> tuple[int, ...]:
        """The four moments since the end of the turn; one that did not come is as the one before."""
        steps: list[int] = []
        turn = self.latency
        for at_us in (turn.committed_us, turn.created_us, turn.first_audio_us, self.sounded_us):
            before_us = steps[-1] if steps else 0
            steps.append(before_us if at_us is None else max(before_us, at_us))
        return tuple(steps)

    @property
    def server_us(self) -> int:
        return self.steps_us[2]

    @property
    def client_us(self) -> int | None:
        """From the first audio to the first sample that sounded."""
        return None if self.sounded_us is None else self.steps_us[3] - self.steps_us[2]


Moment = Literal["committed_us", "created_us", "first_audio_us", "played_us"]
_MOMENTS: Final = frozenset[Moment](get_args(Moment))


class Turns:
    """The turns of the user as they come."""

    def __init__(self) -> None:
        self._over: list[Latency] = []
        self._last: Latency | None = None
        self._missing: set[Moment] = set()  # of the last one; mostly there is none, and all are asked about

    def ended(self, us: int) -> None:
        self.over()
        self._last = Latency(at_us=us)
        self._missing = {*_MOMENTS}

    def over(self) -> None:
        """What is said or done from now on belongs to no turn that has ended."""
        if self._last is not None:
            self._over.append(self._last)
        self._last = None
        self._missing = set()

    def reached(self, moment: Moment, us: int) -> None:
        """The first time counts."""
        if moment in self._missing and self._last is not None:
            self._missing.remove(moment)
            self._last = attrs.evolve(self._last, **{moment: us - self._last.at_us})

    def answered(self) -> tuple[Latency, ...]:
        turns = self._over if self._last is None else [*self._over, self._last]
        return tuple(turn for turn in turns if turn.created_us is not None)


class Voices:
    """When the first sound of each item was asked for, and when it sounded."""

    def __init__(self) -> None:
        self._asked_us: dict[str, int] = {}  # of items that have not sounded yet
        self._sounded_us: dict[int, int] = {}  # by when it was asked for

    def asked(self, item_id: str, us: int) -> None:
        self._asked_us.setdefault(item_id, us)

    def reported(self, event: events.PlaybackAdvanced | events.PlaybackEnded, us: int) -> None:
        asked_us = self._asked_us.get(event.item_id)
        if asked_us is not None and event.heard and asked_us not in self._sounded_us:
            self._sounded_us[asked_us] = us - round(event.heard * US_PER_SAMPLE)
        if type(event) is events.PlaybackEnded:
            self._asked_us.pop(event.item_id, None)

    def over(self) -> None:
        """The conversation is."""
        self._asked_us.clear()

    def sounded_us(self, turn: Latency) -> int | None:
        if turn.played_us is None:
            return None
        at_us = self._sounded_us.get(turn.at_us + turn.played_us)
        return None if at_us is None else max(turn.played_us, at_us - turn.at_us)


class Waiting:
    """Of one conversation while it is held. `saw` gets all that passes its door, and takes half a µs."""

    def __init__(self) -> None:
        self._turns, self._voices = Turns(), Voices()

    def saw(self, us: int, what: Event | Effect) -> None:
        """`us`: since the conversation began."""
        kind: type = type(what)
        if kind is events.ServerSaid:
            kind = type(what.event)  # type: ignore[union-attr]  # its type was just looked at
        elif kind is effects.Send:
            kind = type(what.event)  # type: ignore[union-attr]  # likewise
        elif kind is effects.Show:
            kind = type(what.what)  # type: ignore[union-attr]  # likewise
        seen = _SEEN.get(kind)
        if seen is not None:
            seen(self, us, what)

    def waits(self) -> tuple[Wait, ...]:
        """Of all turns that were answered until now."""
        return tuple(
            Wait(latency=turn, sounded_us=self._voices.sounded_us(turn)) for turn in self._turns.answered()
        )

    @property
    def last_ms(self) -> int | None:
        """How long the last turn waited for the first sample of its answer; written, for its beginning."""
        answered = self._turns.answered()
        if not answered:
            return None
        last = answered[-1]
        us = last.played_us if last.played_us is not None else last.created_us
        return None if us is None else us // 1000

    def _played(self, us: int, play: effects.Play) -> None:
        self._turns.reached("played_us", us)
        self._voices.asked(play.item_id, us)

    def _line_ended(self, us: int, show: effects.Show) -> None:
        if isinstance(show.what, effects.LineEnded) and show.what.typed:
            self._turns.ended(us)


def _reached(moment: Moment) -> Callable[[Waiting, int, Any], None]:
    return lambda self, us, what: self._turns.reached(moment, us)


_SEEN: Final[dict[type, Callable[[Waiting, int, Any], None]]] = {
    InputAudioBufferSpeechStarted: lambda self, us, what: self._turns.over(),
    InputAudioBufferSpeechStopped: lambda self, us, what: self._turns.ended(us),
    InputAudioBufferCommit: lambda self, us, what: self._turns.ended(us),
    InputAudioBufferCommitted: _reached("committed_us"),
    ResponseCreated: _reached("created_us"),
    ResponseOutputAudioDelta: _reached("first_audio_us"),
    effects.Play: Waiting._played,
    effects.LineEnded: Waiting._line_ended,
    events.PlaybackAdvanced: lambda self, us, what: self._voices.reported(what, us),
    events.PlaybackEnded: lambda self, us, what: self._voices.reported(what, us),
}
