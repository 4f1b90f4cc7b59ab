"""The embedded Realtime server's listener: WebSockets in, one session for each."""

from __future__ import annotations

import math
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from attrs import field, frozen
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream
from wsproto.utilities import ProtocolError

from rtassist.protocol import ErrorDetail, ErrorEvent, encode
from rtassist.server.admission import Admitted, Dismissed, Doorkeeping, TurnedAway, admit, subprotocol
from rtassist.server.connection import Connection, Parts
from rtassist.server.dressing import Dressing
from rtassist.server.engine import Engine
from rtassist.server.opening import Opening
from rtassist.server.outgoing import Delivery, Outgoing, fitting_reason
from rtassist.server.outside import Close

__all__ = ["Options", "Parts", "Server", "serve"]

_HANDSHAKE_S = 5
# A waiting frame costs memory, a full queue leaves pings unanswered; clients send fifty small frames a
# second.
_FRAMES_WAITING = 16
_INSTRUCTIONS = "You are a voice assistant. Answer in a few short sentences, as one speaks."


@frozen(kw_only=True)
class Options:
    """How the server behaves. The last group imitates what other servers and networks do, to build clients
    against."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: any that is free."""
    key: str | None = field(default=None, repr=False)
    """What clients have to bring; None: nothing."""
    origins: tuple[str, ...] = ()
    """Web pages whose scripts may connect. Without this any page in a browser on this machine could."""
    models: tuple[str, ...] = ()
    """Names that clients may ask for; empty: any, since there is but one answerer."""
    instructions: str = _INSTRUCTIONS
    """Of a session that says nothing else."""

    max_sessions: int = 16
    max_message_bytes: int = 24 * 1024 * 1024
    """Of a frame; 15 MiB of audio are 20 MiB of base64."""
    max_input_s: int = 600
    """Of sound in a session's input buffer; the oldest is dropped."""
    max_sound_bytes: int = 64 * 1024 * 1024
    """Of sound in a session's items (PCM16, 24 kHz); the oldest items lose theirs."""
    max_items: int = 4096
    """Of a conversation; the oldest is forgotten."""
    max_backlog_bytes: int = 32 * 1024 * 1024
    """Of frames that a client does not read; then it is closed with 1011."""
    expires_after_s: int = 3600
    part_deadline_s: float = 60
    """How long recognition, the next piece of an answer, or the next piece of speech may take."""
    faster_than_real_time: float = 8.0
    """How fast speech leaves, compared with how long it sounds; its first second leaves at once. With
    `math.inf` all of it does."""
    close_within_s: float = 2.0
    unix_s: Callable[[], float] = time.time
    """The wall clock, for when sessions end."""

    latency_ms: float = 0
    jitter_ms: float = 0
    seed: int | None = None
    """Of what is drawn by chance (jitter, lengths of padding), so that a run can be had again."""
    wire_extras: bool = False
    beta_names: bool = False
    late_transcripts: bool = False
    interleaved_items: bool = False
    no_rate_limits: bool = False
    drop_after_frames: int | None = None
    """Tear each connection down without a close after so many frames."""


class Server:
    """A server that listens. `url` is where, without a model: clients append `?model=…`."""

    def __init__(self, options: Options, parts: Parts, port: int) -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        self.port = port
        self.url = f"ws://{host}:{port}/v1/realtime"
        self._options = options
        self._parts = parts
        self._chance = random.Random(options.seed)
        self._sockets = 0
        self._connections: set[Connection] = set()
        self._changed = trio.Event()
        self._door = Doorkeeping(
            key=options.key, origins=options.origins, models=options.models, beta=options.beta_names
        )

    @property
    def sessions(self) -> int:
        """How many are open."""
        return len(self._connections)

    async def accept(self, stream: trio.abc.Stream) -> None:
        """One connection, from its handshake to its end; closes the stream. What a peer can do wrong ends
        here."""
        if self._sockets >= self._options.max_sessions * 4:
            await trio.aclose_forcefully(stream)
            return
        self._sockets += 1
        _notice_the_dead(stream)
        try:
            async with stream, trio.open_nursery() as nursery:
                await self._hold(stream, nursery)
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionClosed, ProtocolError):
            pass
        finally:
            self._sockets -= 1

    async def _hold(self, stream: trio.abc.Stream, nursery: trio.Nursery) -> None:
        with trio.move_on_after(_HANDSHAKE_S) as handshake:
            request = await wrap_server_stream(
                nursery,
                stream,
                message_queue_size=_FRAMES_WAITING,
                max_message_size=self._options.max_message_bytes,
                receive_buffer_size=None,
            )
            admitted = admit(request.path, request.headers, request.proposed_subprotocols, self._door)
            if isinstance(admitted, TurnedAway):
                await request.reject(admitted.status, body=admitted.message.encode())
                return
            websocket = await request.accept(subprotocol=subprotocol(request.proposed_subprotocols))
            if isinstance(admitted, Admitted) and self.sessions >= self._options.max_sessions:
                admitted = _FULL
            if isinstance(admitted, Dismissed):
                await _dismiss(websocket, admitted)
                return
            # The deadline is the handshake's alone: the session lasts as long as it lasts.
            handshake.deadline = math.inf
            await self._converse(websocket, stream, admitted)

    async def _converse(
        self, websocket: WebSocketConnection, stream: trio.abc.Stream, admitted: Admitted
    ) -> None:
        connection = self._connection(websocket, stream, admitted)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.remove(connection)
            self._changed.set()

    def _connection(
        self, websocket: WebSocketConnection, stream: trio.abc.Stream, admitted: Admitted
    ) -> Connection:
        options = self._options
        opening = Opening(
            kind=admitted.kind,
            model=admitted.model,
            instructions=options.instructions,
            unix_s=int(options.unix_s()),
            expires_after_s=options.expires_after_s,
            max_items=options.max_items,
            max_sound_bytes=options.max_sound_bytes,
            max_input_ms=options.max_input_s * 1000,
            late_transcripts=options.late_transcripts,
            rate_limits=not options.no_rate_limits,
            interleave=options.interleaved_items,
        )
        delivery = Delivery(
            latency_ms=options.latency_ms,
            jitter_ms=options.jitter_ms,
            drop_after_frames=options.drop_after_frames,
            max_backlog_bytes=options.max_backlog_bytes,
            close_within_s=options.close_within_s,
        )
        return Connection(
            websocket,
            stream,
            Engine(opening, _new_id),
            self._parts,
            Outgoing(delivery, self._chance.random),
            dressing=Dressing(wire_extras=options.wire_extras, beta_names=options.beta_names),
            padding=lambda: secrets.token_urlsafe(12)[: self._chance.randint(4, 16)],
            faster_than_real_time=options.faster_than_real_time,
            part_deadline_s=options.part_deadline_s,
        )

    async def close(self) -> None:
        """Tell every client that the server goes; who does not listen is left after `close_within_s`."""
        for connection in self._connections:
            connection.finish(Close(code=1001, reason="The server is shutting down."))
        with trio.move_on_after(self._options.close_within_s):
            while self._connections:
                self._changed = trio.Event()
                await self._changed.wait()
        for connection in self._connections:
            connection.abort()


@asynccontextmanager
async def serve(options: Options, parts: Parts) -> AsyncIterator[Server]:
    """A Realtime server for as long as the context is open; it prints nothing.

    Raises OSError if the address cannot be had; what the caller raises comes out as it is. Leaving closes
    every session with 1001, within about twice `options.close_within_s`, also when cancelled.
    """
    listeners = await trio.open_tcp_listeners(options.port, host=options.host)
    server = Server(options, parts, listeners[0].socket.getsockname()[1])
    raised: Exception | None = None
    async with trio.open_nursery() as nursery:
        accepting = await nursery.start(_listen, server, listeners)
        try:
            yield server
        except Exception as error:
            raised = error
        finally:
            with trio.CancelScope(shield=True):
                accepting.cancel()
                await server.close()
            nursery.cancel_scope.cancel()
    if raised is not None:
        raise raised


async def _listen(
    server: Server,
    listeners: list[trio.SocketListener],
    task_status: trio.TaskStatus[trio.CancelScope],
) -> None:
    async with trio.open_nursery() as handlers:
        with trio.CancelScope() as accepting:
            task_status.started(accepting)
            await trio.serve_listeners(server.accept, listeners, handler_nursery=handlers)


def _notice_the_dead(stream: trio.abc.Stream) -> None:
    """A client whose machine or network is gone says nothing, and would keep its session till it expires."""
    if isinstance(stream, trio.SocketStream):
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            # Names that Linux has and other systems may not; there it is the system's two hours.
            if hasattr(trio.socket, name):
                stream.setsockopt(trio.socket.IPPROTO_TCP, getattr(trio.socket, name), value)


async def _dismiss(websocket: WebSocketConnection, dismissed: Dismissed) -> None:
    error = ErrorDetail(
        type="invalid_request_error",
        code=dismissed.code,
        message=dismissed.message,
        param=None,
        event_id=None,
    )
    await websocket.send_message(encode(ErrorEvent(event_id=_new_id("event"), error=error)))
    await websocket.aclose(dismissed.close_code, fitting_reason(dismissed.message))


_FULL = Dismissed(
    code="session_limit_reached",
    message="This server has as many sessions as it may have. Try again later.",
    close_code=1013,
)


def _new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(10)}"
