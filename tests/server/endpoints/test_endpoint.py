"""How an endpoint fails, over real sockets; what its answers mean is tested beside each part."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trustme

from rtassist.errors import SettingsWrong
from rtassist.server.endpoints.endpoint import Deadlines, Endpoint, open_endpoint
from rtassist.server.parts import PartFailed
from tests.server.endpoints.http_server import Exchange, Script, http_server

KEY = "k3y-of-mine"
PATIENT = Deadlines()


@asynccontextmanager
async def opened(
    url: str,
    *,
    key: str | None = KEY,
    deadlines: Deadlines = PATIENT,
    ssl_context: ssl.SSLContext | None = None,
    **environ: str,
) -> AsyncIterator[Endpoint]:
    async with open_endpoint(
        "language model",
        "llm",
        "/chat/completions",
        url=url,
        key=key,
        deadlines=deadlines,
        environ=environ,
        ssl_context=ssl_context,
    ) as endpoint:
        yield endpoint


async def asked(endpoint: Endpoint) -> bytes:
    async with endpoint.ask(json={"a": 1}) as response:
        return await endpoint.whole(response, limit=1000)


async def failure(url: str, **options: Any) -> PartFailed:
    async with opened(url, **options) as endpoint:
        with pytest.raises(PartFailed) as failed:
            await asked(endpoint)
    assert KEY not in failed.value.message
    return failed.value


async def failure_of(script: Script, **options: Any) -> PartFailed:
    async with http_server(script) as server:
        failed = await failure(server.url, **options)
    assert failed.message.startswith(f"The language model at {server.authority} ")
    return failed


async def echo(exchange: Exchange) -> None:
    await exchange.answer(exchange.request.target.encode())


@pytest.mark.parametrize(
    ("suffix", "target"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/chat/completions/", "/v1/chat/completions"),
        ("/a%20b?version=2", "/v1/a%20b/chat/completions?version=2"),
        ("/chat/completions?version=2", "/v1/chat/completions?version=2"),
    ],
)
async def test_the_url_is_a_base_or_the_whole(suffix: str, target: str) -> None:
    async with http_server(echo) as server, opened(server.url + suffix) as endpoint:
        assert (await asked(endpoint)).decode() == target


async def test_the_key_goes_with_the_request() -> None:
    async with http_server(echo) as server:
        async with opened(server.url) as endpoint:
            await asked(endpoint)
        async with opened(server.url, key=None) as endpoint:
            await asked(endpoint)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].json == {"a": 1}
    assert "authorization" not in server.requests[1].headers


async def test_one_connection_serves_many_requests() -> None:
    async with http_server(echo) as server, opened(server.url) as endpoint:
        for _ in range(3):
            await asked(endpoint)
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_a_redirect_is_told_and_not_followed() -> None:
    async with http_server(echo) as other:

        async def redirect(exchange: Exchange) -> None:
            await exchange.answer(b"", 307, location=f"{other.url}/chat/completions")

        failed = await failure_of(redirect)
    assert failed.code == "llm_moved"
    assert f"sends us on to {other.url}/chat/completions" in failed.message
    assert other.requests == []


async def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failed = await failure(f"http://127.0.0.1:{port}/v1")
    assert failed.code == "llm_unreachable"
    assert failed.message == (
        f"The language model at 127.0.0.1:{port} cannot be reached: nothing listens there (connection "
        "refused). Is it running? Check RTASSIST_LLM_URL and the network."
    )


class Names(trio.abc.HostnameResolver):
    """Knows no name, in one way or the other."""

    def __init__(self, error: int) -> None:
        self._error = error

    async def getaddrinfo(self, *_: Any, **__: Any) -> Any:
        await trio.lowlevel.checkpoint()
        raise socket.gaierror(self._error, "no")

    async def getnameinfo(self, *_: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("error", "words"),
    [(socket.EAI_NONAME, "there is no host of that name"), (socket.EAI_AGAIN, "no name server answers")],
)
async def test_a_name_that_nobody_knows(error: int, words: str) -> None:
    trio.socket.set_custom_hostname_resolver(Names(error))
    failed = await failure("http://llm.example/v1")
    assert failed.code == "llm_unreachable"
    assert words in failed.message
    assert "llm.example:80" in failed.message


class Blackhole(trio.abc.SocketFactory):
    """Sockets that never connect."""

    def socket(self, *arguments: Any) -> Any:
        made = trio.socket.from_stdlib_socket(socket.socket(*arguments))

        class Socket(type(made)):
            async def connect(self, address: Any) -> None:
                await trio.sleep_forever()

        made.__class__ = Socket
        return made


async def test_a_host_that_does_not_answer() -> None:
    trio.socket.set_custom_socket_factory(Blackhole())
    failed = await failure("http://127.0.0.1:9/v1", deadlines=Deadlines(connect_s=0.1))
    assert failed.code == "llm_unreachable"
    assert "no answer within 0.1 s" in failed.message


AUTHORITY = trustme.CA()


def tls_server() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_tls() -> None:
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    async with http_server(echo, tls=tls_server()) as server:
        async with opened(server.url, ssl_context=trusting) as endpoint:
            assert await asked(endpoint) == b"/v1/chat/completions"
        failed = await failure(server.url)
    assert failed.code == "llm_unreachable"
    assert "its certificate cannot be trusted" in failed.message


async def test_tls_where_there_is_none() -> None:
    async with http_server(echo) as server:
        failed = await failure(server.url.replace("http:", "https:"))
    assert failed.code == "llm_unreachable"
    assert "a plain server's URL begins with http://" in failed.message


async def test_silence_instead_of_an_answer() -> None:
    failed = await failure_of(Exchange.hang, deadlines=Deadlines(first_byte_s=0.1))
    assert failed.code == "llm_timeout"
    assert failed.message.endswith("answered nothing for 0.1 s.")


async def test_silence_in_the_middle() -> None:
    async def falter(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(b"and then")
        await exchange.hang()

    failed = await failure_of(falter, deadlines=Deadlines(between_bytes_s=0.2))
    assert failed.code == "llm_timeout"
    assert failed.message.endswith("fell silent in the middle of the answer for 0.2 s.")


async def test_an_answer_that_breaks_off() -> None:
    async def stop(exchange: Exchange) -> None:
        await exchange.begin(content_length="100")
        await exchange.send(b"and then")

    assert (await failure_of(stop)).code == "llm_broken_off"


async def test_a_connection_that_is_closed_without_an_answer() -> None:
    async def leave(exchange: Exchange) -> None:
        await exchange.stream.aclose()

    assert (await failure_of(leave)).code == "llm_broken_off"


async def test_a_connection_that_is_reset() -> None:
    async def reset(exchange: Exchange) -> None:
        assert isinstance(exchange.stream, trio.SocketStream)
        exchange.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    failed = await failure_of(reset)
    assert failed.code == "llm_broken_off"
    assert failed.message.endswith("broke the connection off.")


async def test_a_key_that_cannot_be_sent_is_not_shown_either() -> None:
    async with http_server(echo) as server:
        failed = await failure(server.url, key=f"{KEY}\r\nX-More: 1")
    assert failed.code == "llm_failed"
    assert server.requests == []


async def test_what_is_not_http() -> None:
    async def greet(exchange: Exchange) -> None:
        await exchange.stream.send_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await exchange.hang()

    assert (await failure_of(greet)).code == "llm_broken_off"


async def test_an_answer_that_is_too_long() -> None:
    async def flood(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.send(b"x" * 1000)

    assert (await failure_of(flood)).code == "llm_too_long"


async def test_a_packed_answer() -> None:
    async def pack(exchange: Exchange) -> None:
        assert exchange.request.headers["accept-encoding"] == "identity"
        await exchange.answer(b"...", content_encoding="br")

    failed = await failure_of(pack)
    assert (failed.code, "(br)" in failed.message) == ("llm_bad_answer", True)


async def test_a_refusal_that_breaks_off_is_still_a_refusal() -> None:
    async def falter(exchange: Exchange) -> None:
        await exchange.begin(500)
        await exchange.send(b"out of mem")
        await exchange.hang()

    failed = await failure_of(falter, deadlines=Deadlines(between_bytes_s=0.2))
    assert (failed.code, "out of mem" in failed.message) == ("llm_failed", True)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_cancelled_request_closes_its_connection_and_no_other(begun: bool) -> None:
    async def stall_once(exchange: Exchange) -> None:
        if exchange.request.json["a"] == 1:
            if begun:
                await exchange.begin()
                await exchange.send(b"and then")
            started.set()
            await exchange.hang()
        else:
            await exchange.answer(b"well")

    started = trio.Event()
    async with http_server(stall_once) as server, opened(server.url) as endpoint:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asked, endpoint)
            await started.wait()
            async with endpoint.ask(json={"a": 2}) as response:
                nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True):
                    await server.until_open(1)
                    assert await endpoint.whole(response, limit=100) == b"well"
        async with endpoint.ask(json={"a": 3}) as response:
            assert await endpoint.whole(response, limit=100) == b"well"
    assert server.connections == 2


async def test_leaving_the_endpoint_closes_its_connections() -> None:
    async with http_server(echo) as server:
        async with opened(server.url) as endpoint:
            await asked(endpoint)
            assert server.open == 1
        await server.until_open(0)


async def test_the_proxy_of_the_environment_but_not_for_this_machine() -> None:
    async with http_server(echo) as proxy, http_server(echo) as server:
        environ = {"http_proxy": f"http://me:word@{proxy.authority}"}
        async with opened("http://llm.example/v1", key=None, **environ) as endpoint:
            assert await asked(endpoint) == b"http://llm.example/v1/chat/completions"
        async with opened(server.url, **environ) as endpoint:
            assert await asked(endpoint) == b"/v1/chat/completions"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6d29yZA=="
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com", "http://", "http://host:notaport/v1", "nonsense", "http://[::1/v1", "http://\x7f"],
)
async def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(SettingsWrong, match="RTASSIST_LLM_URL must"):
        async with opened(url):
            pytest.fail("opened")
