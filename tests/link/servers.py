"""Real servers on loopback that do what a test says: Realtime over WebSocket, raw bytes, and a proxy."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, TextMessage

SESSION = '{"type":"session.created","event_id":"event_1","session":{"type":"realtime","id":"sess_1"}}'


@asynccontextmanager
async def websocket_server(
    script: Callable[[WebSocketConnection], Awaitable[None]],
    *,
    tls: ssl.SSLContext | None = None,
    requests: list[WebSocketRequest] | None = None,
) -> AsyncIterator[int]:
    """The port of a WebSocket server that runs `script` for each client and notes their requests."""

    async def handle(request: WebSocketRequest) -> None:
        if requests is not None:
            requests.append(request)
        socket = await request.accept()
        with suppress(ConnectionClosed):
            await script(socket)

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, tls)
        yield server.port
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def raw_server(
    script: Callable[[trio.SocketStream], Awaitable[None]],
) -> AsyncIterator[int]:
    """The port of a TCP server that runs `script` for each client and then closes."""

    async def handle(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await script(stream)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


def answers(text: bytes) -> Callable[[trio.SocketStream], Awaitable[None]]:
    """A script that reads one request, answers with `text` and closes."""

    async def script(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(text)

    return script


async def begins_session(socket: WebSocketConnection) -> None:
    """The script of a server that begins a session and then listens."""
    await socket.send_message(SESSION)
    while True:
        await socket.get_message()


async def pump(source: trio.abc.ReceiveStream, target: trio.abc.SendStream) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        async for data in source:
            await target.send_all(data)


async def accept_by_hand(stream: trio.abc.Stream) -> WSConnection:
    """Does the upgrade and begins a session; what the client sends after that is read by whoever wants to."""
    protocol = WSConnection(ConnectionType.SERVER)
    protocol.receive_data(await stream.receive_some())
    list(protocol.events())
    await stream.send_all(protocol.send(AcceptConnection()) + protocol.send(TextMessage(data=SESSION)))
    return protocol
