"""Both directions of the conversation with the server, over as many connections as it takes.

One connection carries the conversation, from `Switch` to `Keep` or until it breaks. What is asked for in
between waits (see `uplink`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from rtassist.dialogue import events
from rtassist.dialogue.effects import Keep, Outcome, Send
from rtassist.edges import Edges, Link
from rtassist.errors import Failure, Refused
from rtassist.link.closing import BROKEN_OFF, Close, LinkClosed
from rtassist.link.retry import may_come_back, worth_another_try
from rtassist.uplink import Uplink

_STUCK: Final = Close(BROKEN_OFF, "the network has taken nothing for thirty seconds", silent_ms=30_000)


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
            # The address was right a moment ago: where it is tried again, nobody is to check it.
            sentence = failure.message if final else failure.happened
            self._feed(events.DialFailed(sentence, outcome, self._chance()))

    def _tell_lost(self, close: Close) -> None:
        recoverable = self._edges.another_link is not None and may_come_back(close)
        self._feed(events.LinkLost(close.code, close.sentence, recoverable, close.silent_ms, self._chance()))

    def _chance(self) -> int:
        return int(self._edges.chance() * 1000)
