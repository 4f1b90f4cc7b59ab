"""Reaching a server: each way to fail has a sentence of its own, and none waits for the deadline in vain."""

import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
import trio
import trio.testing
import trustme
from trio_websocket import WebSocketRequest

from rtassist.errors import CannotConnect, Failure
from rtassist.link.websocket import connect
from tests.link.servers import answers, begins_session, pump, raw_server, websocket_server


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


async def failure(url: str, **options: object) -> Failure:
    """What `connect` raises."""
    with pytest.raises(Failure) as raised:
        async with connect(url, headers=[("Authorization", "Bearer hunter22")], **options):  # type: ignore[arg-type] # of connect
            pytest.fail("it connected")
    assert "hunter22" not in raised.value.message
    return raised.value


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


async def test_nothing_listens() -> None:
    port = free_port()
    told = await failure(f"ws://127.0.0.1:{port}")
    assert told.exit_code == 3
    assert told.message == (f"Nothing listens at 127.0.0.1:{port}: connection refused. Is it running there?")


class Resolver(trio.abc.HostnameResolver):
    """Looks every name up with the same result."""

    def __init__(self, code: int) -> None:
        self.code = code

    async def getaddrinfo(self, *_: object, **__: object) -> NoReturn:
        await trio.lowlevel.checkpoint()
        raise socket.gaierror(self.code, "what the resolver says")

    async def getnameinfo(self, *_: object) -> NoReturn:
        raise AssertionError


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (socket.EAI_NONAME, "There is no host named api.opnai.com. Check the spelling, and the network."),
        (
            socket.EAI_AGAIN,
            "The name api.opnai.com could not be looked up: no name server answers. Is there a network?",
        ),
    ],
)
async def test_a_name_that_cannot_be_looked_up(code: int, sentence: str) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(code))
    told = await failure("wss://api.opnai.com/v1/realtime", environ={})
    assert (told.exit_code, told.message) == (3, sentence)


class DeadNetwork(trio.abc.SocketFactory):
    """Every connection fails with the same number; what else a socket does is the system's."""

    def __init__(self, number: int) -> None:
        self.number = number

    def socket(self, *arguments: int) -> trio.socket.SocketType:
        made = trio.socket.from_stdlib_socket(socket.socket(*arguments))
        number = self.number

        async def fail(_: object) -> NoReturn:
            await trio.lowlevel.checkpoint()
            raise OSError(number, "No way there")

        made.connect = fail  # type: ignore[method-assign] # the one thing that a dead network does not do
        return made


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENETUNREACH, "There is no way to 127.0.0.1:9 (no way there). Is there a network?"),
        (errno.EHOSTUNREACH, "There is no way to 127.0.0.1:9 (no way there). Is there a network?"),
        (errno.EACCES, "No connection to 127.0.0.1:9: no way there."),
    ],
)
async def test_a_network_that_is_not_there(number: int, sentence: str) -> None:
    trio.socket.set_custom_socket_factory(DeadNetwork(number))
    assert (await failure("ws://127.0.0.1:9")).message == sentence


async def test_a_host_that_drops_packets(autojump_clock: trio.testing.MockClock) -> None:
    class Firewall(DeadNetwork):
        def socket(self, *arguments: int) -> trio.socket.SocketType:
            made = super().socket(*arguments)

            async def wait(_: object) -> None:
                await trio.sleep_forever()

            made.connect = wait  # type: ignore[method-assign] # a firewall answers nothing
            return made

    trio.socket.set_custom_socket_factory(Firewall(0))
    told = await failure("ws://127.0.0.1:9", deadline_s=7)
    assert trio.current_time() == 7
    assert told.message == (
        "No connection to 127.0.0.1:9 in time: nothing answers there. Is there a network, or a firewall?"
    )


async def test_a_url_that_is_none() -> None:
    told = await failure("https://api.openai.com")
    assert told.message == "The server's URL must begin with wss:// or ws:// and name a host."


async def test_an_encrypted_conversation(authority: trustme.CA) -> None:
    server = serving(authority.issue_cert("localhost", "127.0.0.1"))
    async with websocket_server(begins_session, tls=server) as port:
        for host in ("localhost", "127.0.0.1"):
            async with connect(f"wss://{host}:{port}", ssl_context=trusting(authority)) as link:
                assert link.session_created.event.type == "session.created"


@pytest.mark.parametrize(
    ("issued_for", "trusted", "expired", "words"),
    [
        ("127.0.0.1", False, False, "unable to get local issuer certificate"),
        ("other.example", True, False, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("127.0.0.1", True, True, "certificate has expired"),
    ],
)
async def test_a_certificate_that_cannot_be_trusted_is_told_at_once(
    issued_for: str,
    trusted: bool,
    expired: bool,
    words: str,
    authority: trustme.CA,
    mock_clock: trio.testing.MockClock,
) -> None:
    """The clock stands still: a failure that waited for the deadline would never be told."""
    until = datetime(2020, 1, 1, tzinfo=UTC) if expired else None
    certificate = authority.issue_cert(
        issued_for, not_after=until, not_before=datetime(2019, 1, 1, tzinfo=UTC)
    )
    context = trusting(authority) if trusted else ssl.create_default_context()
    async with websocket_server(begins_session, tls=serving(certificate)) as port:
        told = await failure(f"wss://127.0.0.1:{port}", ssl_context=context)
    assert told.exit_code == 3
    assert told.message == (
        f"The certificate of 127.0.0.1:{port} cannot be trusted: {words}. Usual reasons: a wrong address, "
        "a wrong clock, or a network that opens encrypted connections; SSL_CERT_FILE can name a file with "
        "more authorities."
    )


async def test_an_encrypted_hello_to_a_plain_server() -> None:
    async with raw_server(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        told = await failure(f"wss://127.0.0.1:{port}")
    assert told.message == (
        f"127.0.0.1:{port} does not speak TLS. If it is a plain server, its URL begins with ws://."
    )


async def test_a_server_that_wants_other_encryption() -> None:
    async with raw_server(
        answers(b"\x15\x03\x03\x00\x02\x02\x46")
    ) as port:  # RFC 8446, alert protocol_version
        told = await failure(f"wss://127.0.0.1:{port}")
    assert told.message == f"No encrypted connection to 127.0.0.1:{port}: tlsv1 alert protocol version."


async def test_a_server_that_closes_while_encrypting() -> None:
    async def close(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    async with raw_server(close) as port:
        told = await failure(f"wss://127.0.0.1:{port}")
    assert told.message == f"127.0.0.1:{port} closed the connection while it was being encrypted."


async def test_a_server_that_says_nothing_while_encrypting(mock_clock: trio.testing.MockClock) -> None:
    async def say_nothing(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        mock_clock.jump(11)
        await trio.sleep_forever()

    async with raw_server(say_nothing) as port:
        told = await failure(f"wss://127.0.0.1:{port}")
    assert told.message == (f"127.0.0.1:{port} took the connection and said nothing: no encryption in time.")


@asynccontextmanager
async def proxy(
    target_port: int,
    seen: list[bytes],
    *,
    tls: ssl.SSLContext | None = None,
    answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n",
) -> AsyncIterator[int]:
    """A CONNECT proxy that leads every name to one port of this machine; it notes the requests' heads."""

    async def script(stream: trio.SocketStream) -> None:
        inside: trio.abc.Stream = stream
        if tls is not None:
            inside = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await inside.receive_some()
        seen.append(head)
        for piece in (answer[:9], answer[9:]):
            await inside.send_all(piece)
        if b"200" not in answer:
            return
        target = await trio.open_tcp_stream("127.0.0.1", target_port)
        async with target, trio.open_nursery() as nursery:
            nursery.start_soon(pump, inside, target)
            await pump(target, inside)
            nursery.cancel_scope.cancel()

    async with raw_server(script) as port:
        yield port


async def test_through_a_proxy_to_an_encrypted_server(authority: trustme.CA) -> None:
    server = serving(authority.issue_cert("realtime.example"))
    seen: list[bytes] = []
    async with websocket_server(begins_session, tls=server) as port, proxy(port, seen) as proxy_port:
        environ = {"HTTPS_PROXY": f"http://me:hunter22@127.0.0.1:{proxy_port}"}
        url = "wss://realtime.example/v1/realtime"
        async with connect(url, ssl_context=trusting(authority), environ=environ) as link:
            assert link.session_created.event.type == "session.created"
    assert seen == [
        b"CONNECT realtime.example:443 HTTP/1.1\r\nHost: realtime.example:443\r\n"
        b"Proxy-Authorization: Basic bWU6aHVudGVyMjI=\r\n\r\n"
    ]


async def test_through_an_encrypted_proxy(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    server = serving(authority.issue_cert("realtime.example"))
    seen: list[bytes] = []
    requests: list[WebSocketRequest] = []
    async with (
        websocket_server(begins_session, tls=server, requests=requests) as port,
        proxy(port, seen, tls=serving(authority.issue_cert("127.0.0.1"))) as proxy_port,
        connect("wss://realtime.example", environ={"ALL_PROXY": f"https://127.0.0.1:{proxy_port}"}),
    ):
        assert len(seen) == len(requests) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "The proxy {} wants another user name and password: write them as http://USER:PASSWORD@HOST:PORT.",
        ),
        (
            b"HTTP/1.0 403 Forbidden\r\nA: b\r\n\r\n<html>",
            "The proxy {} opened no way to h.example:80 (HTTP 403).",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "{} is no HTTP proxy, or broke off: it did not answer as one."),
        (b"HTTP/1.1 ", "{} is no HTTP proxy, or broke off: it did not answer as one."),
        (b"x" * 20_000, "{} is no HTTP proxy, or broke off: it did not answer as one."),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "The proxy {} put 5 bytes of its own into the connection."),
    ],
)
async def test_a_proxy_that_does_not_open_a_way(answer: bytes, sentence: str) -> None:
    async with proxy(9, [], answer=answer) as port:
        environ = {"http_proxy": f"http://me:hunter22@127.0.0.1:{port}"}
        told = await failure("ws://h.example", environ=environ)
    assert told.exit_code == 3
    assert told.message == sentence.format(f"127.0.0.1:{port} (http_proxy)")


async def test_a_proxy_that_is_not_there() -> None:
    port = free_port()
    told = await failure("ws://h.example", environ={"ALL_PROXY": f"http://127.0.0.1:{port}"})
    assert told.message.startswith(
        f"Nothing listens at the proxy 127.0.0.1:{port} (ALL_PROXY): connection refused"
    )


async def test_a_proxy_that_says_nothing(mock_clock: trio.testing.MockClock) -> None:
    async def say_nothing(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        mock_clock.jump(11)
        await trio.sleep_forever()

    async with raw_server(say_nothing) as port:
        told = await failure("ws://h.example", environ={"ALL_PROXY": f"http://127.0.0.1:{port}"})
    assert told.message == f"The proxy 127.0.0.1:{port} (ALL_PROXY) opened no way to h.example:80 in time."


async def test_a_proxy_that_breaks_off() -> None:
    async def reset(stream: trio.SocketStream) -> None:
        await stream.receive_some(1)  # what is left unread makes of the close a reset

    async with raw_server(reset) as port:
        told = await failure("ws://h.example", environ={"ALL_PROXY": f"http://127.0.0.1:{port}"})
    assert isinstance(told, CannotConnect)
    assert told.message == f"The proxy 127.0.0.1:{port} (ALL_PROXY) broke the connection off."
