"""A client for the server's tests: frames as text over a WebSocket, each judged on its way in."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio
import trio.testing
import trio_websocket

from rtassist.server.serve import Server
from tests.server.conformance import Judge

MODEL = "?model=gpt-realtime-2.1"


class Client:
    def __init__(self, websocket: trio_websocket.WebSocketConnection, *, judged: bool = True) -> None:
        self.websocket = websocket
        self.judge = Judge()
        self.arrived: list[float] = []
        self._judged = judged

    async def send(self, type: str, **fields: Any) -> None:
        await self.websocket.send_message(json.dumps({"type": type, **fields}))

    async def receive(self) -> dict[str, Any]:
        frame = await self.websocket.get_message()
        self.arrived.append(trio.current_time())
        if self._judged:
            return self.judge.see(frame)
        data: dict[str, Any] = json.loads(frame)
        return data

    async def until(self, type: str) -> list[dict[str, Any]]:
        """Everything up to an event of this type."""
        seen = [await self.receive()]
        while seen[-1]["type"] != type:
            seen.append(await self.receive())
        return seen

    async def closed(self) -> tuple[int, str | None]:
        """Reads on until the server closes: its code and reason."""
        with pytest.raises(trio_websocket.ConnectionClosed) as closing:
            await self.until("the end")
        reason = closing.value.reason
        assert reason is not None
        return reason.code, reason.reason

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)
        await self.send("response.create")

    async def hear(self, pcm: bytes) -> None:
        """At once, in appends of 100 ms."""
        for start in range(0, len(pcm), 4800):
            audio = base64.b64encode(pcm[start : start + 4800]).decode()
            await self.send("input_audio_buffer.append", audio=audio)


@asynccontextmanager
async def connected(
    url: str,
    *,
    query: str = MODEL,
    headers: Sequence[tuple[str, str]] = (),
    subprotocols: Sequence[str] | None = None,
) -> AsyncIterator[Client]:
    """Over TCP, in real time."""
    parts = urlsplit(url + query)
    stream = await trio.open_tcp_stream(parts.hostname or "", parts.port or 0)
    # trio-websocket leaves a client's socket open where the server closes first.
    async with stream, trio.open_nursery() as nursery:
        websocket = await trio_websocket.wrap_client_stream(
            nursery,
            stream,
            parts.netloc,
            f"{parts.path}?{parts.query}",
            subprotocols=subprotocols,
            extra_headers=[(name.encode(), value.encode()) for name, value in headers],
            message_queue_size=64,
        )
        with trio.fail_after(60):
            yield Client(websocket)
            await websocket.aclose()


Streams = Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]]


@asynccontextmanager
async def beside(
    server: Server, *, streams: Streams = trio.testing.memory_stream_pair, judged: bool = True
) -> AsyncIterator[Client]:
    """Over a stream in memory, for virtual time. Leaving closes it as a program that goes away does."""
    ours, theirs = streams()
    async with trio.open_nursery() as accepting:
        accepting.start_soon(server.accept, theirs)
        async with trio.open_nursery() as nursery:
            websocket = await trio_websocket.wrap_client_stream(
                nursery, ours, "test", f"/v1/realtime{MODEL}", message_queue_size=1
            )
            yield Client(websocket, judged=judged)
            await trio.aclose_forcefully(ours)
            nursery.cancel_scope.cancel()
