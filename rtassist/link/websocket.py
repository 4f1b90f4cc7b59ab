"""A conversation's connection: dialled, opened, kept alive, closed, and its end told as a value.

Every peculiarity of trio-websocket 0.12 that a conversation would notice is dealt with here:

* A send that is cancelled halfway leaves half a frame on the wire. The write side belongs to one task of
  the link, which only the end of the link stops.
* A ping whose connection dies is never woken, and a full message queue stops the reader, which then
  answers no pings. So what counts as lost is silence after a ping, and the queue is long.
* A failed upgrade is told only after a timeout, an error during it leaks. The stream is watched instead.
"""

import os
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, cast

import h11
import trio
from attrs import evolve
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)
from wsproto.utilities import ProtocolError

from rtassist.errors import CannotConnect, Failure, foreign_text
from rtassist.link import refusals
from rtassist.link.address import Address, parse_address, proxy_for
from rtassist.link.closing import BROKEN_OFF, Close, LinkClosed
from rtassist.link.dial import dial, until
from rtassist.protocol import BadFrame, ClientEvent, ErrorEvent, ServerEvent, Unknown, decode, encode, prepare

__all__ = ["Close", "Link", "LinkClosed", "Said", "connect"]

# An item fetched with its audio, or an append at the limit of 15 MiB, exceeds trio-websocket's 1 MiB by far.
LARGEST_MESSAGE = 32 * 1024 * 1024
# With one place only, a consumer that is busy for a moment stops the reader, and pings go unanswered.
QUEUED_MESSAGES = 64
PING_INTERVAL_S = 10.0
PONG_DEADLINE_S = 10.0
# How long a goodbye may take; someone who interrupts the program waits less.
GOODBYE_S = 2.0
HASTY_GOODBYE_S = 0.2
PREPARED_AFTER_S = 0.1
# A refused upgrade carries at most an error object or a web page.
_LARGEST_REFUSAL = 1024 * 1024
_SHORTEST_SECRET = 6


class Said(NamedTuple):
    """One message of the server: as it came, and what it means (a BadFrame where it means nothing)."""

    frame: str | bytes
    event: ServerEvent | Unknown | BadFrame


class _Wire(trio.abc.Stream):
    """A stream that remembers its first bytes and tells of its next ones and of its end."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.opened = False
        self.first_bytes = b""
        self.ended = trio.Event()
        self.heard = trio.Event()
        self.heard_s = trio.current_time()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        try:
            data = bytes(await self._stream.receive_some(max_bytes))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.ended.set()
            raise
        self.heard.set()
        if data:
            self.heard_s = trio.current_time()
        if not self.opened and data:
            self.first_bytes += data
        if not data or (not self.opened and len(self.first_bytes) > _LARGEST_REFUSAL):
            self.ended.set()
        return data

    async def aclose(self) -> None:
        """Closes at once; a send or receive that waits in another task ends with ClosedResourceError."""
        self.ended.set()
        await trio.aclose_forcefully(self._stream)


class Link:
    """Both directions of an open connection. `receive` must be called all the time, and by one task.

    `session_created` is the server's first event; `receive` gives it too, first of all unless the server
    said something else before.
    """

    session_created: Said

    def __init__(self, stream: trio.abc.Stream, where: str, secrets: Sequence[str]) -> None:
        self.where = where
        self._secrets = secrets
        self._wire = _Wire(stream)
        self._socket: WebSocketConnection | None = None
        self._opened = trio.Event()
        self._life = trio.CancelScope()
        self._broken: BaseException | None = None
        self._lost: Close | None = None
        self._early: deque[Said] = deque()
        self._outbox, self._to_send = trio.open_memory_channel[tuple[str, trio.Event]](0)
        self._pinging = False

    async def send(self, event: ClientEvent) -> None:
        """Sends one event and returns when it is with the operating system.

        Raises LinkClosed, and what `encode` raises. A call that is cancelled has sent the event wholly or
        not at all, and does not wait for a network that has stalled.
        """
        await self.send_frame(encode(event))

    async def send_frame(self, frame: str) -> None:
        """`send` for text that is encoded already."""
        sent = trio.Event()
        try:
            try:
                self._outbox.send_nowait((frame, sent))
            except trio.WouldBlock:
                await self._outbox.send((frame, sent))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise LinkClosed(self._close()) from None
        await sent.wait()
        if self._ended():
            raise LinkClosed(self._close())

    async def receive(self) -> Said:
        """The server's next message; LinkClosed once the connection ended and nothing is left to read."""
        if self._early:
            await trio.lowlevel.checkpoint()
            return self._early.popleft()
        return await self._next()

    async def _next(self) -> Said:
        assert self._socket is not None
        try:
            frame = await self._socket.get_message()
        except ConnectionClosed:
            raise LinkClosed(self._close()) from None
        try:
            return Said(frame, decode(frame))
        except BadFrame as bad:
            return Said(frame, bad)

    def _ended(self) -> bool:
        return self._socket is None or self._socket.closed is not None or self._broken is not None

    def _close(self) -> Close:
        """Why the connection ended; what was noticed here goes before what the socket makes of it."""
        silent_ms = round((trio.current_time() - self._wire.heard_s) * 1000)
        return evolve(self._reason(), silent_ms=silent_ms)

    def _reason(self) -> Close:
        if self._lost is not None:
            return self._lost
        reason = self._socket.closed if self._socket is not None else None
        if self._broken is not None or reason is None:
            return Close(BROKEN_OFF, "the server broke the WebSocket protocol")
        text = foreign_text(reason.reason or "", self._secrets)
        if text.startswith("'utf-8' codec"):  # wsproto says what Python said
            text = "text that is no UTF-8"
        return Close(int(reason.code), text)

    async def close(self) -> None:
        """Says goodbye, for 0.2 s at most. What waits for this link ends with LinkClosed."""
        await self.leave(HASTY_GOODBYE_S)

    async def run(self, address: Address, headers: Sequence[tuple[str, str]]) -> None:
        """Opens the WebSocket, then reads, writes and listens for life until `leave`.

        Raises nothing that a server can cause. Once open, only `leave` ends it: the caller's cancellation
        must not cut a frame.
        """
        encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
        try:
            with self._life:
                async with trio.open_nursery() as tasks:
                    tasks.start_soon(self._give_up_with_the_wire)
                    self._socket = await wrap_client_stream(
                        tasks,
                        # Its hint is narrower than its promise, "an arbitrary stream".
                        cast(trio.SocketStream, self._wire),
                        address.host_header,
                        address.resource,
                        extra_headers=encoded,
                        message_queue_size=QUEUED_MESSAGES,
                        max_message_size=LARGEST_MESSAGE,
                        receive_buffer_size=None,
                    )
                    self._life.shield = True
                    self._wire.opened = True
                    self._opened.set()
                    tasks.start_soon(self._write)
                    tasks.start_soon(self._listen_for_life)
                    tasks.start_soon(_prepare)
        except* (HandshakeError, ProtocolError, h11.ProtocolError, UnicodeError) as group:
            # wsproto lets h11's errors through, and those of header values that are not ASCII.
            self._broken = _leaf(group)
        finally:
            self._opened.set()

    async def _give_up_with_the_wire(self) -> None:
        await self._wire.ended.wait()
        if self._socket is None:
            self._life.cancel()

    async def _write(self) -> None:
        assert self._socket is not None
        with self._to_send:
            async for frame, sent in self._to_send:
                try:
                    await self._socket.send_message(frame)
                except ConnectionClosed:
                    return
                finally:
                    sent.set()

    async def _ping(self) -> None:
        assert self._socket is not None
        self._pinging = True
        try:
            await self._socket.ping()
        except ConnectionClosed:
            return
        self._pinging = False

    async def _listen_for_life(self) -> None:
        """Pings, and hangs up on a server from which nothing at all has come since.

        Any bytes count, not only the pong: on a slow line it queues behind audio. The ping is a task of
        its own because it may not be cancelled while its frame is being written.
        """
        async with trio.open_nursery() as pings:
            while not self._wire.ended.is_set():
                await trio.sleep(PING_INTERVAL_S)
                self._wire.heard = trio.Event()
                if not self._pinging:
                    pings.start_soon(self._ping)
                with trio.move_on_after(PONG_DEADLINE_S):
                    await self._wire.heard.wait()
                if not self._wire.heard.is_set():
                    # A process that was suspended finds its deadline past and the answer still unread.
                    await trio.lowlevel.checkpoint()
                if not self._wire.heard.is_set():
                    self._lost = Close(
                        BROKEN_OFF, f"no sign of life for {PONG_DEADLINE_S:.0f} s after a ping"
                    )
                    await self._wire.aclose()

    async def open(self, path: str, deadline: float) -> None:
        """Waits for the upgrade and `session.created`. Raises CannotConnect, Refused or NoRealtime."""
        with until(deadline, f"{self.where} took the connection and did not answer in time."):
            await self._opened.wait()
        if self._socket is None:
            raise self._not_opened(path)
        silence = f"{self.where} opened the WebSocket but began no session in time."
        with until(deadline, silence, "Is that a Realtime server?"):
            while True:
                said = await self._before_session()
                self._early.append(said)
                if self._is_beginning(said.event):
                    self.session_created = said
                    return

    async def _before_session(self) -> Said:
        try:
            return await self._next()
        except LinkClosed as closed:
            raise refusals.closed_early(self.where, closed.close) from None

    def _is_beginning(self, event: ServerEvent | Unknown | BadFrame) -> bool:
        """Whether `event` is `session.created`; raises for what ends the hope for it."""
        if isinstance(event, BadFrame):
            said = str(event) if event.path else f"what it says {event.reason}"
            raise refusals.no_realtime(self.where, said, self._secrets)
        if isinstance(event, ErrorEvent):
            raise refusals.refused_session(
                self.where, event.error.message, event.error.code or None, self._secrets
            )
        return event.type == "session.created"

    def _not_opened(self, path: str) -> Failure:
        if isinstance(self._broken, ConnectionRejected):
            headers = dict(self._broken.headers)
            location = headers.get(b"location", b"").decode("latin-1")
            body = (self._broken.body or b"").decode("utf-8", "replace")
            answer = refusals.HttpAnswer(status=self._broken.status_code, location=location, body=body)
            return refusals.rejected_upgrade(self.where, path, answer, self._secrets)
        first = self._wire.first_bytes
        words = first.split(maxsplit=2)
        if len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() and words[1] != b"101":
            # A body that ends with the connection, as HTTP/1.0 has it, never gets through to us.
            answer = refusals.HttpAnswer(status=int(words[1]))
            return refusals.rejected_upgrade(self.where, path, answer, self._secrets)
        return refusals.no_websocket(self.where, first)

    async def leave(self, patience_s: float) -> None:
        """Says goodbye for at most `patience_s`, then hangs up; a frame being written gets that long too."""
        with trio.CancelScope(shield=True):
            if self._socket is not None:
                with trio.move_on_after(patience_s):
                    await self._socket.aclose()
            await self._wire.aclose()
            self._life.cancel()


async def _prepare() -> None:
    """Behind the session's opening, and long before the first answer."""
    await trio.sleep(PREPARED_AFTER_S)
    for _ in prepare():
        await trio.lowlevel.checkpoint()


def _secrets(headers: Sequence[tuple[str, str]]) -> list[str]:
    """The values of headers; a word of less than six characters is none, and found in any sentence."""
    values = [value.removeprefix("Bearer ") for _, value in headers]
    return [value for value in values if len(value) >= _SHORTEST_SECRET]


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@asynccontextmanager
async def connect(
    url: str,
    *,
    headers: Sequence[tuple[str, str]] = (),
    deadline_s: float = 10.0,
    ssl_context: ssl.SSLContext | None = None,
    environ: Mapping[str, str] = os.environ,
) -> AsyncIterator[Link]:
    """An open session with the Realtime server at `url` (ws:// or wss://), closed on leaving.

    `headers` go with the request; their values are kept out of every message. `deadline_s` bounds all of
    it: name, TCP, proxy, TLS, upgrade and `session.created`. The proxy is what `environ` names.
    Raises CannotConnect, Refused or NoRealtime before the body runs; afterwards the body's own errors
    come out as they are. A normal end waits up to 2 s for the server's goodbye, an interrupted one 0.2 s.
    """
    try:
        address = parse_address(url)
    except ValueError as must:
        raise CannotConnect(f"The server's URL {must}.") from None
    deadline = trio.current_time() + deadline_s
    proxy = proxy_for(address, environ)
    stream = await dial(address, proxy=proxy, ssl_context=ssl_context, deadline=deadline)
    async with over(stream, address, headers=headers, deadline=deadline) as link:
        yield link


@asynccontextmanager
async def over(
    stream: trio.abc.Stream, address: Address, *, headers: Sequence[tuple[str, str]] = (), deadline: float
) -> AsyncIterator[Link]:
    """`connect` over a stream that leads to the server already; `deadline` is on trio's clock.

    The stream is closed on leaving.
    """
    link = Link(stream, address.authority, _secrets(headers))
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run, address, headers)
        patience_s = GOODBYE_S
        try:
            await link.open(address.path, deadline)
            yield link
        except BaseException as error:
            # Raised again outside of the nursery, which would put it into a group.
            failure = error
            if not isinstance(error, Exception):
                patience_s = HASTY_GOODBYE_S
        finally:
            await link.leave(patience_s)
    if failure is not None:
        raise failure
