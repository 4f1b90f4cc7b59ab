"""A conversation with our own server over streams in memory: all that there is but devices and sockets, in
virtual time.

`between` may stand in the way of each connection: it is given the client's end and the server's end of two
pairs of streams, and carries bytes from the one to the other as well, or as badly, as it likes.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
import trio.testing
from attrs import define, field

from rtassist.audio import Microphone
from rtassist.audio.clocked import ClockedSpeaker
from rtassist.converse import converse
from rtassist.dialogue import effects, events
from rtassist.dialogue.terms import Terms
from rtassist.edges import Edges
from rtassist.errors import CannotConnect
from rtassist.link.address import Address
from rtassist.link.websocket import Link, over
from rtassist.server.serve import Options, Parts, Server
from rtassist.server.stand_in.thinker import StandIn
from rtassist.sessions.journal import Journal
from tests.ring import NoTools

HERE = Address(host="127.0.0.1", port=9, secure=False, resource="/v1/realtime?model=gpt-realtime-2.1")
Between = Callable[[trio.abc.Stream, trio.abc.Stream], Awaitable[None]]


@define
class Far:
    """One conversation while it is held, and what came of it."""

    commands: trio.MemorySendChannel[events.Event]
    server: Server
    shown: list[effects.Shown] = field(factory=list)
    noted: list[tuple[int, object]] = field(factory=list)
    journal: list[bytes] = field(factory=list)
    """The lines of its recording."""
    sounded: int = 0
    streams: list[trio.testing.MemorySendStream] = field(factory=list)
    unreachable: bool = False
    quit: effects.Quit | None = None
    ended: trio.Event = field(factory=trio.Event)

    def notices(self) -> list[str]:
        return [
            shown.text for shown in self.shown if isinstance(shown, effects.Notice) and shown.level != "debug"
        ]

    def lines(self, role: str) -> list[str]:
        return [
            shown.text for shown in self.shown if isinstance(shown, effects.LineEnded) and shown.role == role
        ]

    def sessions(self) -> int:
        return sum(isinstance(what, events.LinkOpened) for _, what in self.noted)

    async def ask(self, line: str) -> None:
        """Type a line."""
        await self.commands.send(events.Typed(line))


@asynccontextmanager
async def far(
    terms: Terms,
    options: Options,
    *,
    parts: Parts | None = None,
    microphone: Microphone | None = None,
    between: Between | None = None,
    tools: object = None,
) -> AsyncIterator[Far]:
    """A running conversation; ended and joined on leaving."""
    send, receive = trio.open_memory_channel[events.Event](math.inf)
    async with trio.open_nursery() as nursery:
        held = Far(send, Server(options, parts or Parts(thinker=StandIn()), 0))

        @asynccontextmanager
        async def link() -> AsyncIterator[Link]:
            if held.unreachable:
                raise CannotConnect("No network.")
            ours, theirs = trio.testing.memory_stream_pair()
            if between is not None:
                way, (end, theirs) = theirs, trio.testing.memory_stream_pair()
                nursery.start_soon(between, way, end)
            nursery.start_soon(held.server.accept, theirs)
            async with over(ours, HERE, deadline=trio.current_time() + 10) as opened:
                yield opened

        def sound(position: int, pcm: bytes) -> None:
            held.sounded += len(pcm) // 2

        journal = Journal(line=held.journal.append, mic=lambda pcm: None, voice=lambda pcm: None)
        journal.header(id="far", started="2026-01-01T00:00:00Z", program="test")
        journal.begin(0, terms)

        def note(now_us: int, what: object) -> None:
            held.noted.append((now_us, what))
            journal.note(now_us, what)  # type: ignore[arg-type]  # an event or an effect

        async def hold() -> None:
            async with link() as first:
                edges = Edges(
                    link=first,
                    another_link=link,
                    chance=lambda: 0.5,
                    microphone=microphone,
                    speaker=ClockedSpeaker(sound) if terms.speaker else None,
                    commands=receive,
                    tools=tools or NoTools(),  # type: ignore[arg-type]  # by its shape
                    show=held.shown.append,
                    note=note,
                )
                held.quit = await converse(terms, edges)
            journal.end(round(trio.current_time() * 1_000_000))
            held.ended.set()

        nursery.start_soon(hold)
        await trio.testing.wait_all_tasks_blocked()
        yield held
        nursery.cancel_scope.cancel()
