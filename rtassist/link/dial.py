"""From an address to a stream of bytes: name, TCP, proxy and TLS, each failure with its own sentence."""

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from rtassist.errors import CannotConnect
from rtassist.link.address import Address, Proxy

# A proxy's answer to CONNECT is a few hundred bytes; more is no proxy.
_LONGEST_ANSWER = 16_384


@contextmanager
def until(deadline: float, sentence: str, advice: str = "") -> Iterator[None]:
    """Raises CannotConnect with `sentence` when the body is not done by `deadline` (trio's clock, s)."""
    try:
        with trio.fail_at(deadline):
            yield
    except trio.TooSlowError:
        raise CannotConnect(sentence, advice=advice) from None


async def dial(
    address: Address, *, proxy: Proxy | None, ssl_context: ssl.SSLContext | None, deadline: float
) -> trio.abc.Stream:
    """A stream to `address`, encrypted if it says so, through `proxy` if there is one.

    `ssl_context` is what the server's certificate is checked with, Python's default where it is None; a
    proxy's own certificate is always checked with the default. `deadline` is absolute on trio's clock.
    Raises CannotConnect. A call that fails or is cancelled leaves no socket behind.
    """
    stream: trio.abc.Stream
    if proxy is None:
        stream = await _tcp(address.host, address.port, address.authority, deadline)
    else:
        stream = await _tcp(proxy.host, proxy.port, f"the proxy {proxy.name}", deadline)
        if proxy.secure:
            context = ssl.create_default_context()
            stream = await _tls(stream, proxy.host, f"the proxy {proxy.name}", context, deadline)
        await _tunnel(stream, proxy, address, deadline)
    if address.secure:
        context = ssl_context or ssl.create_default_context()
        stream = await _tls(stream, address.host, address.authority, context, deadline)
    return stream


def _unreachable(host: str, where: str, error: OSError) -> CannotConnect:
    causes: list[BaseException] = [error]
    if isinstance(error.__cause__, BaseExceptionGroup):  # one for each address that the name has
        causes = list(error.__cause__.exceptions)
    names = [cause for cause in causes if isinstance(cause, socket.gaierror)]
    if names:
        if names[0].errno == socket.EAI_AGAIN:
            return CannotConnect(
                f"The name {host} could not be looked up: no name server answers.",
                advice="Is there a network?",
            )
        return CannotConnect(f"There is no host named {host}.", advice="Check the spelling, and the network.")
    # With several addresses the last is IPv4 on most machines, and its reason the more telling one.
    last = causes[-1]
    number = last.errno if isinstance(last, OSError) else None
    if number == errno.ECONNREFUSED:
        return CannotConnect(
            f"Nothing listens at {where}: connection refused.", advice="Is it running there?"
        )
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
        return CannotConnect(f"There is no way to {where} ({_strerror(last)}).", advice="Is there a network?")
    return CannotConnect(f"No connection to {where}: {_strerror(last)}.")


def _strerror(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]


async def _tcp(host: str, port: int, where: str, deadline: float) -> trio.SocketStream:
    with until(
        deadline,
        f"No connection to {where} in time: nothing answers there.",
        "Is there a network, or a firewall?",
    ):
        try:
            return await trio.open_tcp_stream(host, port)
        except OSError as error:
            raise _unreachable(host, where, error) from error


def _untrusted(host: str, where: str, error: BaseException | None) -> CannotConnect:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        return CannotConnect(
            f"The certificate of {where} cannot be trusted: {why}.",
            advice="Usual reasons: a wrong address, a wrong clock, or a network that opens encrypted "
            "connections; SSL_CERT_FILE can name a file with more authorities.",
        )
    reason = getattr(error, "reason", None) or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return CannotConnect(
            f"{where} does not speak TLS.", advice="If it is a plain server, its URL begins with ws://."
        )
    if reason and not isinstance(error, ssl.SSLEOFError):
        return CannotConnect(f"No encrypted connection to {where}: {reason.replace('_', ' ').lower()}.")
    return CannotConnect(f"{where} closed the connection while it was being encrypted.")


async def _tls(
    stream: trio.abc.Stream, host: str, where: str, context: ssl.SSLContext, deadline: float
) -> trio.SSLStream[trio.abc.Stream]:
    """The handshake is made here and not at the first use: only here is its error told, and told at once."""
    encrypted = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    try:
        with until(deadline, f"{where} took the connection and said nothing: no encryption in time."):
            await encrypted.do_handshake()
    except trio.BrokenResourceError as broken:
        await trio.aclose_forcefully(stream)
        raise _untrusted(host, where, broken.__cause__) from broken
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return encrypted


async def _tunnel(stream: trio.abc.Stream, proxy: Proxy, address: Address, deadline: float) -> None:
    """Asks for a tunnel (RFC 9110 section 9.3.6); afterwards the stream's bytes are the server's."""
    lines = [f"CONNECT {address.authority} HTTP/1.1", f"Host: {address.authority}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    try:
        with until(deadline, f"The proxy {proxy.name} opened no way to {address.authority} in time."):
            await stream.send_all("\r\n".join([*lines, "", ""]).encode("ascii"))
            answer = b""
            while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_ANSWER:
                more = await stream.receive_some()
                if not more:
                    break
                answer += more
        _judge_tunnel(answer, proxy, address)
    except BaseException as error:
        await trio.aclose_forcefully(stream)
        if isinstance(error, trio.BrokenResourceError):
            raise CannotConnect(f"The proxy {proxy.name} broke the connection off.") from error
        raise


def _judge_tunnel(answer: bytes, proxy: Proxy, address: Address) -> None:
    head, end, rest = answer.partition(b"\r\n\r\n")
    words = head.split(maxsplit=2)
    if not end or len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise CannotConnect(f"{proxy.name} is no HTTP proxy, or broke off: it did not answer as one.")
    status = int(words[1])
    if status == 407:
        raise CannotConnect(
            f"The proxy {proxy.name} wants another user name and password: write them as http://USER:PASSWORD@HOST:PORT."
        )
    if not 200 <= status < 300:
        raise CannotConnect(f"The proxy {proxy.name} opened no way to {address.authority} (HTTP {status}).")
    if rest:  # neither TLS nor WebSocket lets the server speak first
        raise CannotConnect(f"The proxy {proxy.name} put {len(rest)} bytes of its own into the connection.")
