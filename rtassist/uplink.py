"""What waits to be sent, and what was: of a connection that has died nobody knows how much of it arrived.

So the microphone's last half minute is remembered. What is needed of it goes to the next connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import trio
from attrs import define

from rtassist.dialogue import events
from rtassist.dialogue.effects import Send
from rtassist.dialogue.state import SAMPLES_PER_MS
from rtassist.protocol import (
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    ResponseCreate,
)

_RATE: Final = 24_000
STALE_SAMPLES: Final = 5 * _RATE
"""Microphone audio that waits behind more than this would be answered too late to be of use."""
LAG_SAMPLES: Final = _RATE // 5
"""The shortest silence that ends a turn: OpenAI's models take from 200 to 500 ms. Less holds no end."""
DEAD_SAMPLES: Final = 30 * _RATE
REMEMBERED_SAMPLES: Final = 30 * _RATE
"""1.4 MB."""


@define(eq=False)
class _Waiting:
    """Something to be sent. `late`: it comes out of a gap."""

    effect: Send
    late: bool = False
    sent_us: int | None = None
    position: int = 0
    """Samples of the session's audio before it, once it is sent."""
    remembered: bool = False

    @property
    def samples(self) -> int:
        return self.effect.samples


class Uplink:
    """What waits to be sent. `unsent`: samples of the microphone among it."""

    def __init__(self) -> None:
        self.unsent = 0
        self.was_sent = trio.Event()
        self._waiting: deque[_Waiting] = deque()
        self._under_way: _Waiting | None = None
        self._there = trio.Event()
        self._late = 0
        self._recent: deque[_Waiting] = deque()
        self._recent_samples = 0
        self._position = 0
        self._keeping = False
        self._stale = self._lost = 0
        self._lag_told = False

    @property
    def stuck(self) -> bool:
        """For so long nothing has gone out that the connection is as good as lost."""
        return not self._keeping and self.unsent - self._late > DEAD_SAMPLES

    def lag(self) -> int:
        """Samples that wait, where they are enough to hold the end of a turn; once until there are fewer, and
        once more after each request for a response."""
        if self._keeping or self.unsent - self._late <= LAG_SAMPLES:
            self._lag_told = False
            return 0
        told, self._lag_told = self._lag_told, True
        return 0 if told else self.unsent

    def put(self, effect: Send) -> None:
        waiting = _Waiting(effect)
        if isinstance(effect.event, InputAudioBufferAppend | InputAudioBufferCommit | InputAudioBufferClear):
            self.unsent += effect.samples
            self._remember(waiting)
            if self._keeping:
                return
        elif isinstance(effect.event, ResponseCreate):
            self._lag_told = False
        self._waiting.append(waiting)
        self._there.set()

    def _remember(self, waiting: _Waiting) -> None:
        waiting.remembered = True
        self._recent.append(waiting)
        self._recent_samples += waiting.samples
        while self._recent_samples > REMEMBERED_SAMPLES:
            oldest = self._forget()
            if self._keeping:
                self._lost += oldest
                self.unsent -= oldest

    def _forget(self) -> int:
        oldest = self._recent.popleft()
        oldest.remembered = False
        self._recent_samples -= oldest.samples
        return oldest.samples

    def keep(self, since_us: int, said_ms: int | None = None, heard_ms: int = 0) -> None:
        """There is nobody to send to: of what went out, or waits, only the user's audio counts.

        Kept is all that did not leave, what left since `since_us`, and what is behind `said_ms`: the position
        in the session's audio at which the user began to say what is not understood. Where much did not
        leave, what left before it has hardly arrived: then all is kept that is behind `heard_ms`, up to where
        the server has told of a turn. What would have to be kept and is too long ago is lost.
        """
        if not self._keeping:
            unsent = [self._under_way] if self._under_way is not None else []
            unsent += self._waiting
            self._lost += sum(each.samples for each in unsent if not each.remembered)
            for _ in range(self._first_needed(since_us, said_ms, heard_ms)):
                self._forget()
        self._waiting.clear()
        self._under_way = None
        self._late = self._stale = 0
        self._keeping = True
        self.unsent = self._recent_samples
        self.was_sent.set()

    def _first_needed(self, since_us: int, said_ms: int | None, heard_ms: int) -> int:
        def first(wanted: Callable[[_Waiting], bool]) -> int:
            found = (i for i, each in enumerate(self._recent) if each.sent_us is None or wanted(each))
            return next(found, len(self._recent))

        def behind(ms: int) -> int:
            return first(lambda each: each.position + each.samples > ms * SAMPLES_PER_MS)

        needed = first(lambda each: each.sent_us is not None and each.sent_us >= since_us)
        if said_ms is not None:
            return min(needed, behind(said_ms))
        if self.unsent - self._late <= LAG_SAMPLES and not self._late:
            return needed
        ended = [i for i, each in enumerate(self._recent) if each.sent_us is not None and not each.samples]
        return min(needed, max([behind(heard_ms), *(i + 1 for i in ended)]))

    def deliver(self) -> None:
        self._keeping = False
        self._position = 0
        self._recent = deque(_Waiting(each.effect, late=True, remembered=True) for each in self._recent)
        self._waiting.extend(self._recent)
        self.unsent = self._late = self._recent_samples
        self._there.set()

    async def next(self) -> Send:
        """What is to be sent next. Microphone audio that has waited too long is dropped, the oldest first."""
        while True:
            while not self._waiting:
                self._there = trio.Event()
                await self._there.wait()
            waiting = self._waiting.popleft()
            samples = waiting.samples
            stale = samples and not waiting.late and self.unsent - self._late > STALE_SAMPLES
            self.unsent -= samples
            self._late -= samples * waiting.late
            self.was_sent.set()
            if not stale:
                self._under_way = waiting
                return waiting.effect
            self._stale += samples
            if waiting.remembered:  # a next session is to hear neither it nor, for its sake, all behind it
                self._recent.remove(waiting)
                self._recent_samples -= samples

    def sent(self, now_us: int) -> None:
        """What `next` gave has left."""
        waiting, self._under_way = self._under_way, None
        if waiting is not None:
            waiting.sent_us, waiting.position = now_us, self._position
            self._position += waiting.samples

    def dropped(self) -> list[events.UplinkDropped]:
        """What has been since this was asked last."""
        lost, stale = self._lost, self._stale
        self._lost = self._stale = 0
        told = [events.UplinkDropped(lost, in_gap=True)] if lost else []
        return [*told, events.UplinkDropped(stale)] if stale else told
