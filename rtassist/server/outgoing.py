"""The write side of one connection: one task owns it, and nothing cuts a frame in half."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio
from attrs import frozen
from trio_websocket import ConnectionClosed, WebSocketConnection

from rtassist.server.outside import Close

# Sound waits in what makes it, not in the queue: a megabyte is 16 s of it in base64.
_ROOM_BYTES = 1024 * 1024


@frozen(kw_only=True)
class Delivery:
    """How frames leave. `latency_ms` and `jitter_ms` delay each frame and keep their order;
    `drop_after_frames` tears the connection down without a word."""

    latency_ms: float = 0
    jitter_ms: float = 0
    drop_after_frames: int | None = None
    max_backlog_bytes: int = 32 * 1024 * 1024
    stuck_after_s: float = 30
    """A frame that the peer does not take for so long is the last one."""
    close_within_s: float = 2


class Outgoing:
    """`put` and `finish` never wait. `run` ends when the connection is closed, one way or another."""

    def __init__(self, delivery: Delivery, random: Callable[[], float]) -> None:
        self._delivery = delivery
        self._random = random
        self._frames: deque[tuple[float, str]] = deque()
        self._bytes = 0
        self._last_due = -1.0
        self._close: Close | None = None
        self._changed = trio.Event()
        self._has_room = trio.Event()
        self._has_room.set()
        self._sending: trio.CancelScope | None = None

    def put(self, frame: str) -> None:
        """A frame to be sent; none is taken once the end was asked for. Too many that nobody takes are the
        end."""
        if self._close is not None:
            return
        if self._bytes > self._delivery.max_backlog_bytes:
            self._frames.clear()
            self.finish(Close(code=1011, reason="The client reads too slowly."))
            if self._sending is not None:
                self._sending.deadline = trio.current_time() + self._delivery.close_within_s
            return
        delay_s = (self._delivery.latency_ms + self._random() * self._delivery.jitter_ms) / 1000
        self._last_due = max(self._last_due, trio.current_time() + delay_s)
        self._frames.append((self._last_due, frame))
        self._bytes += len(frame)
        if self._bytes > _ROOM_BYTES and self._has_room.is_set():
            self._has_room = trio.Event()
        self._changed.set()

    def finish(self, close: Close) -> None:
        """Close the connection behind what was put so far; the first reason counts."""
        if self._close is None:
            self._close = close
            self._changed.set()
            self._has_room.set()

    def abort(self) -> None:
        """Not even the frame on its way is worth waiting for."""
        if self._sending is not None:
            self._sending.shield = False
            self._sending.cancel()

    async def room(self) -> None:
        """Waits while there is much to be sent already."""
        await self._has_room.wait()

    async def run(self, websocket: WebSocketConnection, stream: trio.abc.Stream) -> None:
        """Returns when there is nothing more to do for this connection."""
        try:
            await self._send_all(websocket)
        except ConnectionClosed:
            return
        if self._close is not None:
            with trio.move_on_after(self._delivery.close_within_s):
                await websocket.aclose(self._close.code, fitting_reason(self._close.reason))
        await trio.aclose_forcefully(stream)

    async def _send_all(self, websocket: WebSocketConnection) -> None:
        sent = 0
        while sent != self._delivery.drop_after_frames:
            if not self._frames:
                if self._close is not None:
                    return
                self._changed = trio.Event()
                await self._changed.wait()
                continue
            due, frame = self._frames.popleft()
            await trio.sleep_until(due)
            if not await self._send(websocket, frame):
                return
            sent += 1
            self._bytes -= len(frame)
            if self._bytes <= _ROOM_BYTES:
                self._has_room.set()
        self._close = None

    async def _send(self, websocket: WebSocketConnection, frame: str) -> bool:
        """Whether the whole frame left. A cancelled send leaves half a frame on the wire, which is the end of
        the connection: only a peer that takes nothing is given up on."""
        deadline = trio.current_time() + self._delivery.stuck_after_s
        with trio.CancelScope(shield=True, deadline=deadline) as sending:
            self._sending = sending
            await websocket.send_message(frame)
        self._sending = None
        if sending.cancelled_caught:
            self._close = None
        return not sending.cancelled_caught


def fitting_reason(reason: str) -> str:
    """As much of a close's reason as its frame can hold."""
    # RFC 6455, 5.5: a control frame has at most 125 bytes, two of which are the code.
    return reason.encode()[:123].decode(errors="ignore")
