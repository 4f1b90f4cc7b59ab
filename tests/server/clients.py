"""A client for the server's tests: frames as text over a real WebSocket, each judged on its way in."""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
import trio_websocket

from tests.server.conformance import Judge


class Client:
    def __init__(self, websocket: trio_websocket.WebSocketConnection, *, judged: bool) -> None:
        self.websocket = websocket
        self.judge = Judge()
        self._judged = judged

    async def send(self, type: str, **fields: Any) -> None:
        await self.websocket.send_message(json.dumps({"type": type, **fields}))

    async def receive(self) -> dict[str, Any]:
        frame = await self.websocket.get_message()
        data: dict[str, Any] = self.judge.see(frame) if self._judged else json.loads(frame)
        return data

    async def until(self, type: str) -> list[dict[str, Any]]:
        """Everything up to an event of this type."""
        seen = [await self.receive()]
        while seen[-1]["type"] != type:
            seen.append(await self.receive())
        return seen

    async def close_reason(self) -> trio_websocket.CloseReason:
        """Reads on until the server closes."""
        try:
            while True:
                await self.receive()
        except trio_websocket.ConnectionClosed as closed:
            assert closed.reason is not None
            return closed.reason

    async def hear(self, pcm: bytes) -> None:
        """At once, in appends of 100 ms."""
        for start in range(0, len(pcm), 4800):
            audio = base64.b64encode(pcm[start : start + 4800]).decode()
            await self.send("input_audio_buffer.append", audio=audio)


@asynccontextmanager
async def connected(
    url: str,
    *,
    query: str = "?model=gpt-realtime-2.1",
    headers: Sequence[tuple[str, str]] = (),
    subprotocols: Sequence[str] | None = None,
    judged: bool = True,
    max_message_size: int = 32 * 1024 * 1024,
) -> AsyncIterator[Client]:
    async with trio_websocket.open_websocket_url(
        url + query,
        extra_headers=[(name.encode(), value.encode()) for name, value in headers],
        subprotocols=subprotocols,
        max_message_size=max_message_size,
        disconnect_timeout=1,
    ) as websocket:
        with trio.fail_after(60):
            yield Client(websocket, judged=judged)
