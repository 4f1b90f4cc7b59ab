"""What is typed, for all conversations of one run: no line is lost between two of them."""

from __future__ import annotations

import math
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import trio
from attrs import define

from rtassist.dialogue import events
from rtassist.terminal import keyboard
from rtassist.terminal.screen import Screen


@define
class Typed:
    """`there`: more may be typed. Timers speak up by `to_commands` as well."""

    there: bool
    to_commands: trio.MemorySendChannel[events.Event]
    commands: trio.MemoryReceiveChannel[events.Event]


@asynccontextmanager
async def typing(screen: Screen, there: bool) -> AsyncIterator[Typed]:
    """Reads stdin, if somebody or something types there, as long as this is open."""
    typed = Typed(there, *trio.open_memory_channel[events.Event](math.inf))
    async with trio.open_nursery() as nursery:
        if there:
            nursery.start_soon(type_lines, typed, screen)
        yield typed
        nursery.cancel_scope.cancel()


async def type_lines(typed: Typed, screen: Screen) -> None:
    """What is typed, as events. The end of what a person types (Ctrl-D) means that the person leaves."""
    terminal = sys.stdin.isatty()
    async with aclosing(keyboard.lines(sys.stdin)) as lines:
        async for line in lines:
            if terminal:
                screen.line_typed()
            await typed.to_commands.send(events.Typed(line))
    typed.there = False
    await typed.to_commands.send(events.Typed("/quit") if terminal else events.TypingEnded())
