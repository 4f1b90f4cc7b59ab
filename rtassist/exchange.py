"""Both directions of the conversation with the server, over as many connections as it takes.

One connection carries the conversation, from `Switch` to `Keep` or until it breaks. What is asked for in
between waits, and the microphone's last half minute is remembered: a connection that has died had swallowed
some of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import trio

from rtassist.dialogue import events
from rtassist.dialogue.effects import Outcome, Send
from rtassist.edges import Edges, Link
from rtassist.errors import Failure, Refused
from rtassist.link.closing import BROKEN_OFF, Close, LinkClosed
from rtassist.link.retry import may_come_back, worth_another_try
from rtassist.protocol import InputAudioBufferAppend, InputAudioBufferClear, InputAudioBufferCommit

_RATE: Final = 24_000
STALE_SAMPLES: Final = 5 * _RATE
"""Microphone audio that waits behind more than this would be answered too late to be of use."""
DEAD_SAMPLES: Final = 30 * _RATE
REMEMBERED_SAMPLES: Final = 30 * _RATE
"""1.4 MB."""
_STUCK: Final = Close(BROKEN_OFF, "the network has taken nothing for thirty seconds", silent_ms=30_000)


class Uplink:
    """What waits to be sent. `unsent`: samples of the microphone among it."""

    def __init__(self) -> None:
        self.unsent = 0
        self.was_sent = trio.Event()
        self._waiting: deque[tuple[Send, bool]] = deque()  # and whether it comes late, out of a gap
        self._there = trio.Event()
        self._late = 0
        self._recent: deque[tuple[int, Send]] = deque()  # by the time at which it was to be sent, µs
        self._recent_samples = 0
        self._keeping = False
        self._stale = self._lost = 0

    @property
    def stuck(self) -> bool:
        """For so long nothing has gone out that the connection is as good as lost."""
        return not self._keeping and self.unsent - self._late > DEAD_SAMPLES

    def put(self, now_us: int, effect: Send) -> None:
        if isinstance(effect.event, InputAudioBufferAppend | InputAudioBufferCommit | InputAudioBufferClear):
            self.unsent += effect.samples
            self._remember(now_us, effect)
            if self._keeping:
                return
        self._waiting.append((effect, False))
        self._there.set()

    def _remember(self, now_us: int, effect: Send) -> None:
        self._recent.append((now_us, effect))
        self._recent_samples += effect.samples
        while self._recent_samples > REMEMBERED_SAMPLES:
            oldest = self._forget()
            if self._keeping:
                self._lost += oldest
                self.unsent -= oldest

    def _forget(self) -> int:
        samples = self._recent.popleft()[1].samples
        self._recent_samples -= samples
        return samples

    def keep(self, since_us: int) -> None:
        """There is nobody to send to: of what went out, or waits, only the user's audio since then counts."""
        self._waiting.clear()
        self._late = self._stale = 0
        while not self._keeping and self._recent and self._recent[0][0] < since_us:
            self._forget()
        self._keeping = True
        self.unsent = self._recent_samples
        self.was_sent.set()

    def deliver(self, now_us: int) -> None:
        self._keeping = False
        self._recent = deque((now_us, effect) for _, effect in self._recent)
        self._waiting.extend((effect, True) for _, effect in self._recent)
        self.unsent = self._late = self._recent_samples
        self._there.set()

    async def next(self) -> Send:
        """What is to be sent next. Microphone audio that has waited too long is dropped, the oldest first."""
        while True:
            while not self._waiting:
                self._there = trio.Event()
                await self._there.wait()
            effect, late = self._waiting.popleft()
            stale = effect.samples and not late and self.unsent - self._late > STALE_SAMPLES
            self.unsent -= effect.samples
            self._late -= effect.samples * late
            self.was_sent.set()
            if not stale:
                return effect
            self._stale += effect.samples

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
        self.uplink.put(self._now_us(), effect)

    def keep(self, since_us: int) -> None:
        self._line.cancel()
        self.uplink.keep(since_us)

    def deliver(self) -> None:
        self.uplink.deliver(self._now_us())

    def dial(self) -> None:
        self._tasks.start_soon(self._dial)

    def switch(self) -> None:
        assert self._opened is not None
        self._line.cancel()
        self._next.send_nowait(self._opened)
        self._opened = None

    def check(self) -> None:
        """Gives a connection up that takes nothing; for a task, since it tells of it."""
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
            # The address was right a moment ago: where it is tried again, nobody is to check it.
            sentence = failure.message if final else failure.happened
            self._feed(events.DialFailed(sentence, outcome, self._chance()))

    def _tell_lost(self, close: Close) -> None:
        recoverable = self._edges.another_link is not None and may_come_back(close)
        self._feed(events.LinkLost(close.code, close.sentence, recoverable, close.silent_ms, self._chance()))

    def _chance(self) -> int:
        return int(self._edges.chance() * 1000)
