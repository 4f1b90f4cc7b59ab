"""A real HTTP server on loopback that answers by a script, well or badly."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import h11
import trio
from attrs import define, field

from rtassist.server.parts import PartFailed


@define
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Exchange:
    """One request and what is done about it."""

    def __init__(self, request: Request, stream: trio.abc.Stream, connection: h11.Connection) -> None:
        self.request = request
        self.stream = stream
        self._connection = connection

    async def answer(self, body: bytes | object, status: int = 200, **headers: str) -> None:
        """A whole answer; what is no bytes goes as JSON."""
        if not isinstance(body, bytes):
            headers = {"content_type": "application/json"} | headers
            body = json.dumps(body).encode()
        await self.begin(status, content_length=str(len(body)), **headers)
        await self.send(body)
        await self.end()

    async def begin(self, status: int = 200, **headers: str) -> None:
        """Without a content length the body comes in chunks."""
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        await self._put(h11.Response(status_code=status, headers=named))

    async def send(self, body: bytes) -> None:
        await self._put(h11.Data(data=body))

    async def end(self) -> None:
        await self._put(h11.EndOfMessage())

    async def hang(self) -> None:
        """Until the client has gone."""
        with suppress(trio.BrokenResourceError):
            while await self.stream.receive_some():
                pass

    async def _put(self, event: h11.Event) -> None:
        data = self._connection.send(event)
        assert data is not None
        await self.stream.send_all(data)


Script = Callable[[Exchange], Awaitable[None]]


@define
class Server:
    url: str
    authority: str
    requests: list[Request] = field(factory=list)
    connections: int = 0
    open: int = 0
    _changed: trio.Event = field(factory=trio.Event)

    async def until_open(self, count: int) -> None:
        while self.open != count:
            self._changed = trio.Event()
            await self._changed.wait()

    def count(self, change: int) -> None:
        self.open += change
        self.connections += change > 0
        self._changed.set()


@asynccontextmanager
async def http_server(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Runs `script` for each request. A script that leaves its answer unfinished breaks the connection."""
    async with trio.open_nursery() as nursery:
        listeners: list[trio.SocketListener] = await nursery.start(
            partial(trio.serve_tcp, lambda stream: _serve(stream), 0, host="127.0.0.1")
        )
        port = listeners[0].socket.getsockname()[1]
        server = Server(url=f"http{'s' if tls else ''}://127.0.0.1:{port}/v1", authority=f"127.0.0.1:{port}")

        async def _serve(stream: trio.SocketStream) -> None:
            server.count(1)
            encrypted = stream if tls is None else trio.SSLStream(stream, tls, server_side=True)
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError):
                await _converse(encrypted, script, server)
            await trio.aclose_forcefully(encrypted)
            server.count(-1)

        with trio.fail_after(20):
            yield server
        nursery.cancel_scope.cancel()


async def _converse(stream: trio.abc.Stream, script: Script, server: Server) -> None:
    connection = h11.Connection(h11.SERVER)
    while (request := await _request(stream, connection)) is not None:
        server.requests.append(request)
        await script(Exchange(request, stream, connection))
        if connection.our_state is not h11.DONE:
            return
        connection.start_next_cycle()


async def _request(stream: trio.abc.Stream, connection: h11.Connection) -> Request | None:
    request, body = None, b""
    while True:
        event = connection.next_event()
        match event:
            case h11.NEED_DATA:
                connection.receive_data(await stream.receive_some())
            case h11.Request():
                headers = {name.decode(): value.decode() for name, value in event.headers}
                request = Request(event.method.decode(), event.target.decode(), headers, b"")
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                assert request is not None
                request.body = body
                return request
            case _:
                return None


def says(*pieces: str, reason: str | None = "stop") -> list[dict[str, Any]]:
    """The chunks of a streamed chat completion that says so."""
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": text}}]} for text in pieces
    ]
    if reason is not None:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    return chunks


def calls(*fragments: dict[str, Any]) -> list[dict[str, Any]]:
    """Chunks with one fragment of a function call each, and the end."""
    deltas = [{"choices": [{"index": 0, "delta": {"tool_calls": [fragment]}}]} for fragment in fragments]
    return [*deltas, {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]


def fragment(
    index: int | None, arguments: object = "", *, name: str | None = None, id: str | None = None
) -> Any:
    made: dict[str, Any] = {"function": {"arguments": arguments}}
    made |= {} if index is None else {"index": index}
    made |= {} if id is None else {"id": id, "type": "function"}
    if name is not None:
        made["function"]["name"] = name
    return made


def sse(chunks: Iterable[object], *, done: bool = True) -> bytes:
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*events, "data: [DONE]\n\n" if done else ""]).encode()


async def gathered(pieces: AsyncIterator[Any]) -> tuple[list[Any], PartFailed | None]:
    """All that came, and how it failed if it did."""
    came: list[Any] = []
    try:
        async for piece in pieces:
            came.append(piece)  # noqa: PERF401  what came before a failure counts
    except PartFailed as failed:
        return came, failed
    return came, None
