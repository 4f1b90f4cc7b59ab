"""Both directions of the conversation with the server, over as many connections as it takes.

One connection carries the conversation, from `Switch` to `Keep` or until it breaks. What is asked for in
between waits, and the microphone's last half minute is remembered: of a connection that has died nobody knows
how much of it arrived.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import trio
from attrs import define

from rtassist.dialogue import events
from rtassist.dialogue.effects import Keep, Outcome, Send
from rtassist.dialogue.state import SAMPLES_PER_MS
from rtassist.edges import Edges, Link
from rtassist.errors import Failure, Refused
from rtassist.link.closing import BROKEN_OFF, Close, LinkClosed
from rtassist.link.retry import may_come_back, worth_another_try
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
_STUCK: Final = Close(BROKEN_OFF, "the network has taken nothing for thirty seconds", silent_ms=30_000)


@define(eq=False)
class _Waiting:
    """Something to be sent. `late`: it comes out of a gap; `dropped`: it will never be sent."""

    effect: Send
    late: bool = False
    sent_us: int | None = None
    position: int = 0
    """Samples of the session's audio before it, once it is sent."""
    remembered: bool = False
    dropped: bool = False

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
        samples = 0 if oldest.dropped else oldest.samples
        self._recent_samples -= samples
        return samples

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
        kept = [each.effect for each in self._recent if not each.dropped]
        self._recent = deque(_Waiting(effect, late=True, remembered=True) for effect in kept)
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
            waiting.dropped = True
            if waiting.remembered:
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


class Exchange:
    """`run` is the task; the other methods are for what performs effects, and wait for nothing."""

    def __init__(
        self,
        edges: Edges,
        feed: Callable[[events.Event], None],
        now_us: Callable[[], int],
        tasks: trio.Nursery,
    ) -> None:
        self.uplink = Uplink()
        self._edges = edges
        self._feed = feed
        self._now_us = now_us
        self._tasks = tasks
        self._line = trio.CancelScope()
        self._opened: tuple[Link, trio.Event] | None = None
        self._next, self._links = trio.open_memory_channel[tuple[Link, trio.Event]](1)

    def send(self, effect: Send) -> None:
        self.uplink.put(effect)

    def keep(self, effect: Keep) -> None:
        self._line.cancel()
        self.uplink.keep(effect.since_us, effect.said_ms, effect.heard_ms)

    def deliver(self) -> None:
        self.uplink.deliver()

    def dial(self) -> None:
        self._tasks.start_soon(self._dial)

    def switch(self) -> None:
        assert self._opened is not None
        self._line.cancel()
        self._next.send_nowait(self._opened)
        self._opened = None

    def check(self) -> None:
        """Tells that the network is slow, and gives a connection up that takes nothing; for a task."""
        if lag := self.uplink.lag():
            self._feed(events.UplinkLags(lag))
        if self.uplink.stuck:
            self._tell_lost(_STUCK)

    async def run(self) -> None:
        """One connection after the other, each until it is lost or another is taken."""
        link, over = self._edges.link, trio.Event()
        if self._edges.another_link is not None:
            self._feed(events.LinkOpened(round(self._edges.unix_s())))
        while True:
            close = None
            with trio.CancelScope() as self._line:
                close = await self._carry(link)
            self._tasks.start_soon(self._hang_up, link, over)
            if close is not None:
                self._tell_lost(close)
            link, over = await self._links.receive()

    async def _carry(self, link: Link) -> Close:
        async with trio.open_nursery() as both:
            both.start_soon(self._send, link)
            close = await self._receive(link)
            both.cancel_scope.cancel()
        return close

    async def _send(self, link: Link) -> None:
        """Owns the write side."""
        while True:
            effect = await self.uplink.next()
            for dropped in self.uplink.dropped():
                self._feed(dropped)
            try:
                await link.send(effect.event)
                self.uplink.sent(self._now_us())
            except LinkClosed:
                return  # `_receive` meets the same end and tells it

    async def _receive(self, link: Link) -> Close:
        """Waits for nothing but the socket: what it brings is queued without bound elsewhere."""
        try:
            while True:
                frame, event = await link.receive()
                self._feed(events.received(frame, event))
        except LinkClosed as closed:
            return closed.close

    async def _hang_up(self, link: Link, over: trio.Event) -> None:
        await link.close()
        over.set()

    async def _dial(self) -> None:
        """Open a connection, and keep it open as long as it is used."""
        assert self._edges.another_link is not None
        try:
            async with self._edges.another_link() as link:
                over = trio.Event()
                self._opened = link, over
                self._feed(events.LinkOpened(round(self._edges.unix_s())))
                await over.wait()
        except Failure as failure:
            final = isinstance(failure, Refused) and not worth_another_try(failure.code)
            outcome = Outcome.REFUSED.value if final else ""
            self._feed(events.DialFailed(failure.message, outcome, self._chance()))

    def _tell_lost(self, close: Close) -> None:
        recoverable = self._edges.another_link is not None and may_come_back(close)
        self._feed(events.LinkLost(close.code, close.sentence, recoverable, close.silent_ms, self._chance()))

    def _chance(self) -> int:
        return int(self._edges.chance() * 1000)
