"""Long conversations: hours in virtual time, and minutes of real time, with the memory at both ends."""

from __future__ import annotations

import gc
import math
import os
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import trio
import trio.testing
from attrs import evolve, frozen

from rtassist.audio.clocked import ClockedSpeaker
from rtassist.converse import converse
from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Switch
from rtassist.dialogue.step import begin, step
from rtassist.edges import Edges
from rtassist.link.address import Address
from rtassist.link.websocket import Link, connect, over
from rtassist.protocol import ErrorEvent
from rtassist.server.serve import Options, Server, serve
from rtassist.sessions.journal import Journal
from rtassist.sessions.properties import Monitor
from rtassist.sessions.testing import assert_replays_equal
from rtassist.settings import Settings
from rtassist.terms import terms_for
from tests.chaos.parts import Mouth, Thinker, Tools, WatchedSpeaker, parts
from tests.chaos.pipes import pair
from tests.chaos.run import EVENTS, LOOK_UP, UNIX_S, settle

HERE: Final = Address(host="127.0.0.1", port=9, secure=False, resource="/v1/realtime?model=any")
WARM: Final = 0.2
"""Of a conversation: what it has learnt by then, and how full its history is, stays so."""
HOUR_S: Final = 3600.0
_SMALL: Final = Options(seed=0, max_items=100, max_sound_bytes=1 << 20, max_input_s=20)
"""What the server remembers is full when it is warm: it is in this process, and not what is measured."""


@frozen
class Lasted:
    """One long conversation. Memory in bytes, at the beginning (when it is warm) and at the end: of Python's
    objects, where they were traced, and of the process.
    """

    turns: int
    sessions: int
    hand_overs: int
    lost: int
    errors: int
    traced: tuple[int, int]
    resident: tuple[int, int]
    lines: int
    virtual_s: float
    real_s: float

    def told(self) -> str:
        traced, resident = ([each / 1e6 for each in both] for both in (self.traced, self.resident))
        hours = self.virtual_s / 3600
        return (
            f"{self.turns} turns, {self.sessions} sessions, {self.hand_overs} hand-overs, "
            f"{self.lost} losses, {self.errors} errors; {hours:.2f} h in {self.real_s:.0f} s; "
            f"traced {traced[0]:.2f} -> {traced[1]:.2f} MB, "
            f"resident {resident[0]:.1f} -> {resident[1]:.1f} MB; "
            f"{self.lines} notes, replayed equal"
        )


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def virtual(hours: float, turns: int, *, lasts_s: int = 3600, trace: bool = True) -> Lasted:
    """So many turns, evenly over so many hours of trio's MockClock; sessions of `lasts_s`."""
    settle(0)
    held = _Held(turns, hours * HOUR_S / turns, trace=trace)
    if trace:
        tracemalloc.start()
    try:
        trio.run(held.in_memory, lasts_s, clock=trio.testing.MockClock(autojump_threshold=0))
    finally:
        if trace:
            tracemalloc.stop()
    return held.lasted()


def real(minutes: float) -> Lasted:
    """With our own server over TCP, in real time, a live microphone all the while; a turn every 6 s."""
    turns = max(2, round(minutes * 10))
    held = _Held(turns, minutes * 60 / turns, trace=False)
    trio.run(held.over_tcp)
    return held.lasted()


class _Held:
    """The conversation, and what is counted of it."""

    def __init__(self, turns: int, every_s: float, *, trace: bool) -> None:
        self._turns, self._every_s, self._trace = turns, every_s, trace
        self._memory: list[tuple[int, int]] = []
        self._hand_overs = self._lost = self._errors = self._notes = 0
        self._terms = terms_for(
            Settings(),
            (LOOK_UP,),
            voiced=True,
            microphone=not trace,
            microphone_ends=False,
            keyboard=True,
            greeting="",
        )
        self._state = begin(self._terms)
        self._thinker = Thinker(keeps=1)
        self._began_s = self._took_s = 0.0

    def lasted(self) -> Lasted:
        (traced, resident), *_, (traced_end, resident_end) = self._memory
        return Lasted(
            self._turns,
            self._state.link.sessions,
            self._hand_overs,
            self._lost,
            self._errors,
            (traced, traced_end),
            (resident, resident_end),
            self._notes,
            self._took_s,
            time.monotonic() - self._began_s,
        )

    async def in_memory(self, lasts_s: int) -> None:
        options = evolve(_SMALL, expires_after_s=lasts_s, unix_s=_unix_s)
        server = Server(options, parts(self._thinker), 0)

        @asynccontextmanager
        async def dial() -> AsyncIterator[Link]:
            ours, theirs = pair()
            outside.start_soon(server.accept, theirs)
            async with over(ours, HERE, deadline=trio.current_time() + 10) as link:
                yield link

        async with trio.open_nursery() as outside:
            with tempfile.TemporaryDirectory() as folder:
                await self._hold(dial, Path(folder) / "lasting.jsonl", None)
            outside.cancel_scope.cancel()

    async def over_tcp(self) -> None:
        async with serve(_SMALL, parts(self._thinker)) as server:

            @asynccontextmanager
            async def dial() -> AsyncIterator[Link]:
                async with connect(f"{server.url}?model=any", deadline_s=10) as link:
                    yield link

            with tempfile.TemporaryDirectory() as folder:
                await self._hold(dial, Path(folder) / "lasting.jsonl", Mouth())

    async def _hold(
        self, dial: Callable[[], AbstractAsyncContextManager[Link]], path: Path, mouth: Mouth | None
    ) -> None:
        self._began_s, began_s = time.monotonic(), trio.current_time()
        send, receive = trio.open_memory_channel[events.Event](0)
        monitor = Monitor(self._terms)
        with path.open("wb") as file:  # no thread: a virtual hour goes by faster than a disk is written to
            journal = Journal(line=lambda line: void(file.write(line)), mic=void, voice=void)
            journal.header(id="lasting", started="2026-11-22T00:00:00.000Z", program="chaos")
            journal.begin(0, self._terms)

            def note(now_us: int, what: events.Event | Effect) -> None:
                monitor.note(now_us, what)
                journal.note(now_us, what)
                self._count(now_us, what)

            async with dial() as link:
                edges = Edges(
                    link=link,
                    another_link=dial,
                    unix_s=_unix_s if mouth is None else time.time,
                    chance=lambda: 0.5,
                    microphone=mouth,
                    speaker=WatchedSpeaker(monitor) if mouth is None else ClockedSpeaker(_drop),
                    commands=receive,
                    tools=Tools(0.3),
                    show=lambda shown: None,
                    note=note,
                )
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._talk, send, mouth)
                    quit_ = await converse(self._terms, edges)
                    nursery.cancel_scope.cancel()
            journal.end(0)
        assert not quit_.message, quit_
        if mouth is None:
            assert not monitor.breaks, monitor.breaks
        self._took_s = trio.current_time() - began_s
        assert_replays_equal(path)

    def _count(self, now_us: int, what: events.Event | Effect) -> None:
        self._notes += 1
        if type(what) in EVENTS:
            self._state, _ = step(self._state, now_us, what)  # type: ignore[arg-type]  # an event
        if isinstance(what, Switch):
            self._hand_overs += 1
        elif isinstance(what, events.LinkLost):
            self._lost += 1
        elif isinstance(what, events.ServerSaid) and isinstance(what.event, ErrorEvent):
            self._errors += 1

    async def _talk(self, send: trio.MemorySendChannel[events.Event], mouth: Mouth | None) -> None:
        began_s = trio.current_time()
        for number in range(self._turns):
            if number == math.ceil(self._turns * WARM):
                self._look()
            kind = number % 5
            if mouth is not None and kind != 4:
                mouth.say(1 + number % 100)
            elif kind == 3:
                await send.send(events.Typed(f"Please call number {number}."))
            elif kind == 4:
                await send.send(events.Typed(""))
            else:
                await send.send(events.Typed(f"This is line {number}."))
            await trio.sleep_until(began_s + (number + 1) * self._every_s)
        self._look()
        await send.send(events.Typed("/quit"))

    def _look(self) -> None:
        gc.collect()
        traced = tracemalloc.get_traced_memory()[0] if self._trace else 0
        self._memory.append((traced, resident_bytes()))


def _unix_s() -> float:
    return UNIX_S + trio.current_time()


def void(ignored: object) -> None:
    """The sound is not kept."""


def _drop(position: int, pcm: bytes) -> None:
    """Nobody listens."""
