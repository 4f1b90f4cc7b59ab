"""What is typed and pressed, for all conversations of one run: nothing is lost between two of them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from attrs import define

from rtassist.dialogue import events
from rtassist.front import Front


@define
class Typed:
    """`comes`: more may be typed. Timers speak up by `to_commands` as well."""

    comes: bool
    to_commands: trio.MemorySendChannel[events.Event]
    commands: trio.MemoryReceiveChannel[events.Event]

    @property
    def there(self) -> bool:
        """The next conversation has a keyboard: a pipe is read to its end long before its lines are taken."""
        return self.comes or self.commands.statistics().current_buffer_used > 0


@asynccontextmanager
async def typing(front: Front) -> AsyncIterator[Typed]:
    """Reads what comes, if somebody or something types, as long as this is open."""
    typed = Typed(front.typed, *trio.open_memory_channel[events.Event](math.inf))

    async def press() -> None:
        await front.press(typed.to_commands)
        typed.comes = False

    async with trio.open_nursery() as nursery:
        if typed.comes:
            nursery.start_soon(press)
        yield typed
        nursery.cancel_scope.cancel()
