"""The outside, as the ring of tasks sees it: by what it does for a conversation, not by what it is."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

import trio
from attrs import field, frozen

from rtassist.audio import Microphone, Speaker
from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Shown
from rtassist.dialogue.state import Conversation
from rtassist.gauge import Gauge
from rtassist.protocol import BadFrame, ClientEvent, ServerEvent, Unknown

D = TypeVar("D")

REPLACED_S = 0.3
"""A device that is there this soon after one was lost goes on where that one stopped: opening takes 50 ms.
One may stand still for 1.5 s before it counts as lost, and both together are to be less than two seconds."""


class Link(Protocol):
    """An open connection. `receive` raises LinkClosed; so does `send`, which one task calls and may cancel:
    then the event was sent wholly or not at all. `close` says goodbye, and waits for little.
    """

    async def send(self, event: ClientEvent) -> None: ...

    async def receive(self) -> tuple[str | bytes, ServerEvent | Unknown | BadFrame]: ...

    async def close(self) -> None: ...


class Tools(Protocol):
    async def run(self, name: str, arguments: str) -> str:
        """The result as text for the model, errors included. Never raises for what a model can cause."""
        ...


class Another(Protocol[D]):
    """How to get another device for one that is lost (None: for one that never was there).

    Waits until there is one and gives it with its name. `moved_to`, where the lost one has said it, is looked
    at first. A cancelled call may be made again.
    """

    async def __call__(self, lost: D | None, moved_to: str | None) -> tuple[D, str]: ...


@frozen(kw_only=True)
class Edges:
    """The outside, as the ring sees it. `commands` brings what people and timers do, as events."""

    link: Link
    another_link: Callable[[], AbstractAsyncContextManager[Link]] | None = None
    """Opens another connection to the same server, or raises errors.Failure. None: what is lost is lost."""
    unix_s: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    """From 0 to 1, for the waits between attempts."""
    microphone: Microphone | None
    speaker: Speaker | None
    another_microphone: Another[Microphone] | None = None
    another_speaker: Another[Speaker] | None = None
    """None: what is lost is gone for good, as a file or pipe is."""
    commands: trio.MemoryReceiveChannel[events.Event]
    tools: Tools
    show: Callable[[Shown], None]
    errand: Callable[[str, str], Awaitable[events.ErrandEnded]] | None = None
    """Runs what a command needs of the outside, by its name and argument. Raises nothing that a user can
    cause. None: the reports come as events by themselves."""
    prefer: Callable[[str, str], None] = lambda name, value: None
    """A setting of the next conversation."""
    announcer: Callable[[str], AsyncGenerator[bytes, None]] | None = None
    """A voice that costs nothing: PCM16, mono, 24 kHz. Raises nothing; where it cannot speak it is silent."""
    ended: Callable[[Conversation], None] = lambda state: None
    """Called with the state in which the conversation ended."""
    gauge: Gauge = field(factory=Gauge)
    """What it does and how loud both sides are, for who shows it."""
    in_turn: bool = False
    """Lines come from a pipe: each waits until the conversation is quiet, and interrupts nothing."""
    note: Callable[[int, events.Event | Effect], None]
    """The recorder: each event before it is decided, then each effect, with the µs since the start."""
