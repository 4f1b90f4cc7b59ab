"""Two ends of a connection in memory that behave as TCP does: bounded, half-closed, reset."""

from __future__ import annotations

from contextlib import suppress

import trio
from attrs import define, field

BUFFER_BYTES = 128 * 1024
"""What both sockets and the network hold before a sender waits: two seconds of the microphone in base64."""


@define(eq=False)
class _Way:
    """One direction."""

    held: bytearray = field(factory=bytearray)
    over: bool = False
    """The sender has said that nothing follows."""
    reset: bool = False
    changed: trio.Event = field(factory=trio.Event)

    def change(self) -> None:
        self.changed.set()
        self.changed = trio.Event()


class End(trio.abc.HalfCloseableStream):
    """One end. What was sent before the other side was reset may be lost, as with TCP."""

    def __init__(self, out: _Way, into: _Way) -> None:
        self._out, self._into = out, into
        self._closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        left = memoryview(data)
        while True:
            if self._closed or self._out.over:
                raise trio.ClosedResourceError
            if self._out.reset:
                raise trio.BrokenResourceError
            room = BUFFER_BYTES - len(self._out.held)
            if room > 0 and left:
                self._out.held += left[:room]
                left = left[room:]
                self._out.change()
            if not left:
                return
            await self._out.changed.wait()

    async def wait_send_all_might_not_block(self) -> None:
        while not (self._closed or self._out.reset) and len(self._out.held) >= BUFFER_BYTES:
            await self._out.changed.wait()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        while True:
            if self._closed:
                raise trio.ClosedResourceError
            if self._into.reset:
                raise trio.BrokenResourceError
            if self._into.held:
                data = bytes(self._into.held[: max_bytes or 65536])
                del self._into.held[: len(data)]
                self._into.change()
                return data
            if self._into.over:
                return b""
            await self._into.changed.wait()

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()
        self._out.over = True
        self._out.change()

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """What was sent still arrives; who sends here learns that nobody reads."""
        if not self._closed:
            self._closed = True
            self._out.over = True
            self._into.reset = True
            self._out.change()
            self._into.change()

    def reset(self) -> None:
        """At once, for both, and without what is under way."""
        self._closed = True
        for way in (self._out, self._into):
            way.reset = True
            way.held.clear()
            way.change()


def pair() -> tuple[End, End]:
    one, other = _Way(), _Way()
    return End(one, other), End(other, one)


async def pass_on(data: bytes, to: trio.abc.SendStream) -> None:
    """To whoever may not be there any more."""
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await to.send_all(data)
