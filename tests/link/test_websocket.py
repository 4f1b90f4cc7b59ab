"""An open conversation over real sockets: both directions, how it begins, how it ends."""

import json
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection, WebSocketRequest

from rtassist.errors import CannotConnect, Failure, NoRealtime, Refused
from rtassist.link.closing import Close, LinkClosed
from rtassist.link.websocket import connect
from rtassist.protocol import (
    BadFrame,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    ResponseOutputAudioDelta,
    SessionCreated,
    Unknown,
)
from tests.link.servers import SESSION, accept_by_hand, answers, begins_session, raw_server, websocket_server

KEY = [("Authorization", "Bearer hunter22")]
Script = Callable[[WebSocketConnection], Awaitable[None]]


async def failure(port: int) -> Failure:
    """What `connect` raises."""
    with pytest.raises(Failure) as raised:
        async with connect(f"ws://127.0.0.1:{port}/v1/realtime?model=m", headers=KEY):
            pytest.fail("it connected")
    assert "hunter22" not in raised.value.message
    return raised.value


async def test_both_directions() -> None:
    heard: list[str | bytes] = []
    requests: list[WebSocketRequest] = []

    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        heard.extend([await socket.get_message() for _ in range(3)])
        await socket.send_message('{"type":"response.new_thing","event_id":"e2"}')
        await socket.send_message("this is not JSON")
        await socket.send_message(b'{"type":"input_audio_buffer.cleared","event_id":"e3"}')

    async with (
        websocket_server(script, requests=requests) as port,
        connect(f"ws://127.0.0.1:{port}/v1/realtime?model=m", headers=KEY) as link,
    ):
        assert isinstance(link.session_created.event, SessionCreated)
        assert await link.receive() == link.session_created
        assert link.session_created.frame == SESSION
        await link.send(InputAudioBufferAppend(audio=b"\0\1"))
        await link.send(InputAudioBufferCommit())
        await link.send_frame('{"type":"input_audio_buffer.clear"}')
        frame, event = await link.receive()
        assert (frame, type(event)) == ('{"type":"response.new_thing","event_id":"e2"}', Unknown)
        frame, event = await link.receive()
        assert (frame, type(event)) == ("this is not JSON", BadFrame)
        _, event = await link.receive()
        assert getattr(event, "event_id", None) == "e3"

    assert [json.loads(text)["type"] for text in heard] == [
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
    ]
    (request,) = requests
    headers = dict(request.headers)
    assert request.path == "/v1/realtime?model=m"
    assert headers[b"authorization"] == b"Bearer hunter22"
    assert b"openai-beta" not in headers


async def test_what_a_server_says_before_the_session_is_not_lost() -> None:
    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message('{"type":"conversation.created","event_id":"e0","conversation":{"id":"c"}}')
        await begins_session(socket)

    async with websocket_server(script) as port, connect(f"ws://127.0.0.1:{port}") as link:
        types = [(await link.receive()).event.type for _ in range(2)]  # type: ignore[union-attr] # no BadFrame here
        assert types == ["conversation.created", "session.created"]
        assert link.session_created.event.type == "session.created"  # type: ignore[union-attr] # as above


@pytest.mark.parametrize("size", [1_500_000, 20_000_000])
async def test_messages_may_be_large(size: int) -> None:
    """An item fetched with its audio, or a turn appended at once, is larger than the library's 1 MiB."""

    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        delta = '{"type":"response.output_audio.delta","event_id":"e","response_id":"r","item_id":"i",'
        await socket.send_message(f'{delta}"output_index":0,"content_index":0,"delta":"{"A" * size}"}}')

    async with websocket_server(script) as port, connect(f"ws://127.0.0.1:{port}") as link:
        await link.receive()
        _, event = await link.receive()
        assert isinstance(event, ResponseOutputAudioDelta)
        assert len(event.delta) == size * 3 // 4


async def test_a_message_beyond_all_measure_closes_the_link() -> None:
    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        await socket.send_message("A" * (33 * 1024 * 1024))
        await socket.get_message()

    async with websocket_server(script) as port, connect(f"ws://127.0.0.1:{port}") as link:
        await link.receive()
        with pytest.raises(LinkClosed, match="A message was too big") as closed:
            await link.receive()
    assert (closed.value.close.code, closed.value.close.clean) == (1009, False)


async def test_pings_are_answered_while_messages_wait_to_be_read() -> None:
    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        for number in range(60):
            await socket.send_message(f'{{"type":"t{number}","event_id":"e"}}')
        await socket.ping()
        answered.set()
        await socket.get_message()

    answered = trio.Event()
    async with websocket_server(script) as port, connect(f"ws://127.0.0.1:{port}") as link:
        with trio.fail_after(5):
            await answered.wait()
        await link.receive()
        types = [(await link.receive()).event.type for _ in range(60)]  # type: ignore[union-attr] # no BadFrame here
        assert types == [f"t{number}" for number in range(60)]


def says_error(code: str | None, message: str, close: int) -> Script:
    async def script(socket: WebSocketConnection) -> None:
        error = {
            "type": "invalid_request_error",
            "code": code,
            "message": message,
            "param": None,
            "event_id": None,
        }
        await socket.send_message(json.dumps({"type": "error", "event_id": "e", "error": error}))
        await socket.aclose(close, "see the error")

    return script


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (
            "invalid_api_key",
            "Incorrect API key provided: hunter22.",
            "refused the session: Incorrect API key provided: [secret] (invalid_api_key). Set a key",
        ),
        ("invalid_model", "Model 'x' does not exist", "does not exist (invalid_model). Choose another model"),
        (
            "insufficient_quota",
            "You exceeded your quota",
            "(insufficient_quota). Look at the account's billing",
        ),
        (None, "Something\x1b[31m else", "refused the session: Something [31m else."),
        ("odd", "", "refused the session: no reason given (odd)."),
    ],
)
async def test_a_refusal_is_told_in_the_servers_words_with_what_to_do(
    code: str | None, said: str, words: str
) -> None:
    async with websocket_server(says_error(code, said, 4000)) as port:
        told = await failure(port)
    assert isinstance(told, Refused)
    assert (told.exit_code, told.code) == (4, code)
    assert words in told.message


@pytest.mark.parametrize(
    ("close", "kind", "words"),
    [
        (
            3000,
            Refused,
            "refused the key. The server does not accept the key (close 3000: [secret] is bad). Set",
        ),
        (
            4000,
            Refused,
            "refused the session. The server did not accept a request (close 4000: [secret] is bad).",
        ),
        (1008, Refused, "refused the session. The server closed the connection because of a rule"),
        (1011, CannotConnect, "closed the connection before the session began. The server failed"),
        (1013, CannotConnect, "too much to do now"),
    ],
)
async def test_a_close_before_the_session(close: int, kind: type[Failure], words: str) -> None:
    async def script(socket: WebSocketConnection) -> None:
        await socket.aclose(close, "hunter22 is bad")

    async with websocket_server(script) as port:
        told = await failure(port)
    assert type(told) is kind
    assert words in told.message


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 68\r\n\r\n"
            b'{"error":{"message":"Incorrect key hunter22","code":"invalid_api_key"}}'[:68],
            Refused,
            "did not accept the key (HTTP 401",
        ),
        (
            b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'2c\r\n{"error":{"message":"no entry","code":"g"}} \r\n0\r\n\r\n',
            Refused,
            'refused the connection (HTTP 403: "no entry").',
        ),
        (
            b'HTTP/1.1 429 Slow\r\nContent-Length: 19\r\n\r\n{"error":"calm down',
            Refused,
            'refused the connection (HTTP 429: "{"error":"calm down").',
        ),
        (
            b'HTTP/1.1 426 Upgrade\r\nContent-Length: 18\r\n\r\n{"error":"use ws"}',
            Refused,
            'did not accept the request (HTTP 426: "use ws").',
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 7\r\n\r\nmodel?!",
            Refused,
            'did not accept the request (HTTP 400: "model?!").',
        ),
        (
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            NoRealtime,
            "has no Realtime endpoint at /v1/realtime (HTTP 404). Check the path in --url",
        ),
        (
            b"HTTP/1.1 307 X\r\nLocation: wss://evil.example/\x1b[2J\r\nContent-Length: 0\r\n\r\n",
            CannotConnect,
            "sends us on to wss://evil.example/ [2J (HTTP 307)",
        ),
        (
            b"HTTP/1.1 307 X\r\nLocation: wss://evil.example/\r\nContent-Length: 0\r\n\r\n",
            CannotConnect,
            "sends us on to wss://evil.example/ (HTTP 307). A key is not taken along to another address",
        ),
        (
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 13\r\n\r\n<html></html>",
            CannotConnect,
            "or a proxy on the way to it, is in trouble (HTTP 502). Try again later.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<!doctype html><p>hi",
            NoRealtime,
            "answered with a web page and not as a Realtime server (HTTP 200).",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            NoRealtime,
            'answered with plain HTTP and not as a Realtime server (HTTP 200: "ok").',
        ),
        (
            b"HTTP/1.0 503 Service Unavailable\r\n\r\n<html>until the end",
            CannotConnect,
            "is in trouble (HTTP 503)",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut off",
            NoRealtime,
            "plain HTTP and not as a Realtime",
        ),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", NoRealtime, "does not speak WebSocket"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: wrong\r\n\r\n",
            NoRealtime,
            "does not speak WebSocket",
        ),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            NoRealtime,
            'does not speak WebSocket: it answered "SSH-2.0-OpenSSH_9.2".',
        ),
        (b"\x16\x03\x01\x00\x00\xff", NoRealtime, "does not speak WebSocket: it answered"),
        (b"\x00" * 3_000_000, NoRealtime, "does not speak WebSocket: it answered"),
        (
            b"",
            CannotConnect,
            "took the connection and closed it without an answer. Is that a Realtime server?",
        ),
    ],
)
async def test_an_answer_that_is_no_upgrade(
    answer: bytes, kind: type[Failure], words: str, mock_clock: trio.testing.MockClock
) -> None:
    """The clock stands still: none of these waits for the deadline."""
    async with raw_server(answers(answer)) as port:
        told = await failure(port)
    assert type(told) is kind
    assert words in told.message
    assert told.message.startswith(f"127.0.0.1:{port}")
    assert told.message.isprintable()


async def test_a_refusal_without_end_is_not_kept(mock_clock: trio.testing.MockClock) -> None:
    async def endless(stream: trio.SocketStream) -> None:
        await stream.send_all(b"HTTP/1.1 418 Teapot\r\nContent-Type: video/mp4\r\n\r\n")
        while True:
            await stream.send_all(bytes(100_000))

    async with raw_server(endless) as port:
        told = await failure(port)
    assert "answered with plain HTTP and not as a Realtime server (HTTP 418)" in told.message


async def test_a_server_that_breaks_off_during_the_upgrade(mock_clock: trio.testing.MockClock) -> None:
    async def reset(stream: trio.SocketStream) -> None:
        await stream.receive_some(1)  # what is left unread makes of the close a reset

    async with raw_server(reset) as port:
        told = await failure(port)
    assert "took the connection and closed it without an answer" in told.message


async def test_a_server_that_says_nothing(mock_clock: trio.testing.MockClock) -> None:
    async def say_nothing(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        mock_clock.jump(11)
        await trio.sleep_forever()

    async with raw_server(say_nothing) as port:
        told = await failure(port)
    assert told.message == f"127.0.0.1:{port} took the connection and did not answer in time."
    assert told.exit_code == 3


async def test_a_websocket_without_a_session(mock_clock: trio.testing.MockClock) -> None:
    async def say_nothing(socket: WebSocketConnection) -> None:
        await socket.ping()  # now the client waits for its session
        mock_clock.jump(11)
        await socket.get_message()

    async with websocket_server(say_nothing) as port:
        told = await failure(port)
    assert told.message == (
        f"127.0.0.1:{port} opened the WebSocket but began no session in time. Is that a Realtime server?"
    )


async def test_a_websocket_of_another_kind() -> None:
    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message("Welcome to the echo server\x1b[2J")

    async with websocket_server(script) as port:
        told = await failure(port)
    assert isinstance(told, NoRealtime)
    assert f"127.0.0.1:{port} speaks WebSocket, but not the Realtime protocol: " in told.message


async def test_the_servers_goodbye_comes_after_all_that_it_said() -> None:
    async def script(socket: WebSocketConnection) -> None:
        await socket.send_message(SESSION)
        await socket.send_message('{"type":"last.words","event_id":"e"}')
        await socket.aclose(1001, "Your session hit the maximum duration of 60 minutes.")

    async with websocket_server(script) as port, connect(f"ws://127.0.0.1:{port}") as link:
        await link.receive()
        assert (await link.receive()).event.type == "last.words"  # type: ignore[union-attr] # no BadFrame here
        for _ in range(2):
            with pytest.raises(LinkClosed) as closed:
                await link.receive()
            assert closed.value.close == Close(1001, "Your session hit the maximum duration of 60 minutes.")
            assert closed.value.close.clean
        with pytest.raises(LinkClosed, match="close 1001"):
            await link.send(InputAudioBufferClear())


async def accepts_then(stream: trio.SocketStream, rest: bytes) -> None:
    await accept_by_hand(stream)
    await stream.send_all(rest)


@pytest.mark.parametrize(
    ("rest", "code", "reason"),
    [
        pytest.param(b"", 1006, "", id="no goodbye"),
        pytest.param(b"\x81\x7e", 1006, "", id="half a frame"),
        pytest.param(b"\xf1\x00", 1002, "Reserved bit set unexpectedly", id="reserved bits"),
        pytest.param(b"\x81\x85abcdefghi", 1002, "client received unexpected masked frame", id="masked"),
        pytest.param(
            b"\x81\x01\xff",
            1007,
            "text that is no UTF-8",
            id="no text",
        ),
    ],
)
async def test_a_link_that_breaks(rest: bytes, code: int, reason: str) -> None:
    async with (
        raw_server(lambda stream: accepts_then(stream, rest)) as port,
        connect(f"ws://127.0.0.1:{port}") as link,
    ):
        await link.receive()
        with pytest.raises(LinkClosed) as closed:
            await link.receive()
    assert closed.value.close == Close(code, reason)
    assert not closed.value.close.clean


async def test_the_bodys_own_errors_come_out_as_they_are() -> None:
    class OddError(Exception):
        pass

    async with websocket_server(begins_session) as port:
        with pytest.raises(OddError) as raised:
            async with connect(f"ws://127.0.0.1:{port}"):
                raise OddError from KeyError("why")
        assert isinstance(raised.value.__cause__, KeyError)
        with pytest.raises(ExceptionGroup) as group:
            async with connect(f"ws://127.0.0.1:{port}"):
                raise ExceptionGroup("its own", [OddError()])
        assert group.value.message == "its own"
        with trio.CancelScope() as scope:
            async with connect(f"ws://127.0.0.1:{port}"):
                scope.cancel()
                await trio.sleep_forever()
        assert scope.cancelled_caught


async def test_leaving_says_goodbye() -> None:
    ends: list[object] = []

    async def script(socket: WebSocketConnection) -> None:
        try:
            await begins_session(socket)
        finally:
            ends.append(socket.closed)

    async with websocket_server(script) as port:
        async with connect(f"ws://127.0.0.1:{port}") as link:
            pass
        with pytest.raises(LinkClosed, match="close 1000"):
            await link.send(InputAudioBufferClear())
        await trio.testing.wait_all_tasks_blocked()
    assert [getattr(end, "code", None) for end in ends] == [1000]
