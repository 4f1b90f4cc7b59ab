"""A client and a server with somebody in between, who passes every frame on and notes when."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import trio
import trio_websocket
from attrs import define, field, frozen
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

LARGEST = 1 << 24
"""Bytes of a frame; an item with its sound is larger than trio-websocket's usual 1 MiB."""


@frozen(kw_only=True)
class Passed:
    at_s: float
    """By trio's clock, before the frame was given to the other side's socket."""
    by_client: bool
    event: dict[str, Any]


@define
class Tap:
    """What passed, and a way to ask the server something that the client does not hear of."""

    passed: list[Passed] = field(factory=list)
    port: int = 0
    _server: WebSocketConnection | None = None
    _asked: dict[str, Any] = field(factory=dict)
    _answered: trio.Event = field(factory=trio.Event)
    _came: trio.Event = field(factory=trio.Event)

    def of(self, type: str) -> list[Passed]:
        return [passed for passed in self.passed if passed.event["type"] == type]

    async def first(self, type: str) -> Passed:
        """The first event of this type, once it has passed."""
        with trio.fail_after(60):
            while not self.of(type):
                await self._came.wait()
        return self.of(type)[0]

    async def retrieve(self, item_id: str) -> dict[str, Any]:
        """The item as the server has it now."""
        assert self._server is not None
        ask = {"type": "conversation.item.retrieve", "event_id": "tap_1", "item_id": item_id}
        await self._server.send_message(orjson.dumps(ask).decode())
        with trio.fail_after(10):
            await self._answered.wait()
        item: dict[str, Any] = self._asked["item"]
        return item

    def note(self, frame: str | bytes, *, by_client: bool) -> bool:
        """Whether the frame is to be passed on."""
        event = orjson.loads(frame)
        if event["type"] == "conversation.item.retrieved":
            self._asked = event
            self._answered.set()
            return False
        self.passed.append(Passed(at_s=trio.current_time(), by_client=by_client, event=event))
        self._came.set()
        self._came = trio.Event()
        return True

    async def _sit(self, url: str, request: WebSocketRequest) -> None:
        async with trio_websocket.open_websocket_url(url + "?model=any", max_message_size=LARGEST) as server:
            self._server = server
            client = await request.accept()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pass_up, client, server)
                await self._pass_down(server, client)
                nursery.cancel_scope.cancel()

    async def _pass_up(self, client: WebSocketConnection, server: WebSocketConnection) -> None:
        """A client that has left does not end it: the server may be asked when all is over."""
        with suppress(ConnectionClosed):
            while True:
                frame = await client.get_message()
                self.note(frame, by_client=True)
                await server.send_message(frame)

    async def _pass_down(self, server: WebSocketConnection, client: WebSocketConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                frame = await server.get_message()
                if self.note(frame, by_client=False):
                    with suppress(ConnectionClosed):
                        await client.send_message(frame)


@asynccontextmanager
async def tapped(url: str) -> AsyncIterator[Tap]:
    """A tap in front of the server at `url`, for one client, on `port` of this machine."""
    tap = Tap()

    async def sit(request: WebSocketRequest) -> None:
        await tap._sit(url, request)

    async with trio.open_nursery() as nursery:
        server = await nursery.start(trio_websocket.serve_websocket, sit, "127.0.0.1", 0, None)
        tap.port = server.port
        yield tap
        nursery.cancel_scope.cancel()
