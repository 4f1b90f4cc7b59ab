"""The listener over TCP on loopback: who may come in, and that many can at once."""

import base64
import json
from contextlib import AsyncExitStack

import pytest
import trio

from rtassist.server.parts import Call, Say
from rtassist.server.serve import Options, serve
from tests.server.clients import MODEL, Client, connected
from tests.server.scripted import Script
from tests.server.sounds import silence, tone

SPEECH = silence(400) + tone(600) + silence(700)
TEXT = {"type": "realtime", "output_modalities": ["text"]}


async def test_a_text_turn() -> None:
    script = Script()
    script.thinker.script = [[Say(text="Good morning."), Say(text=" It is half past nine.")]]
    async with serve(Options(), script.parts) as server, connected(server.url) as client:
        await client.send("session.update", session=TEXT)
        await client.say("Hello")
        done = (await client.until("response.done"))[-1]
    (item,) = done["response"]["output"]
    assert item["content"] == [{"type": "output_text", "text": "Good morning. It is half past nine."}]
    assert script.thinker.asked[0].now.hour == 9


async def test_a_spoken_turn() -> None:
    script = Script()
    script.recogniser.script = ["what time is it"]
    script.thinker.script = [[Say(text="Nine."), Say(text=" Thirty.")]]
    async with serve(Options(), script.parts) as server, connected(server.url) as client:
        await client.hear(SPEECH)
        await client.until("response.done")
        assert client.judge.only("input_audio_buffer.speech_started")["audio_start_ms"] < 400
    assert script.synthesiser.spoken == ["Nine.", "Thirty."]
    sound = b"".join(base64.b64decode(f["delta"]) for f in client.judge.of("response.output_audio.delta"))
    assert sound == tone(300) + tone(420)
    assert len(script.recogniser.heard[0]) >= 600 * 48


async def test_a_tool_call() -> None:
    script = Script()
    script.thinker.script = [[Call(name="clock", arguments="{}")], [Say(text="Half past nine.")]]
    async with serve(Options(), script.parts) as server, connected(server.url) as client:
        tools = [{"type": "function", "name": "clock"}]
        await client.send("session.update", session=TEXT | {"tools": tools})
        await client.say("What time is it?")
        (call,) = (await client.until("response.done"))[-1]["response"]["output"]
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "9:30"}
        await client.send("conversation.item.create", item=output)
        await client.send("response.create")
        await client.until("response.done")
    assert [item.type for item in script.thinker.asked[1].items] == [
        "message",
        "function_call",
        "function_call_output",
    ]


async def test_several_sessions_know_nothing_of_each_other() -> None:
    script = Script()
    script.thinker.script = [[Say(text="Yes.")]] * 5

    async def talk(url: str, name: str) -> None:
        async with connected(url) as client:
            await client.send("session.update", session=TEXT)
            await client.say(name)
            await client.until("response.done")

    async with serve(Options(), script.parts) as server, trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(talk, server.url, str(number))
    said = [[part.text for part in ask.items[0].content] for ask in script.thinker.asked]  # type: ignore[union-attr]
    assert sorted(said) == [[str(number)] for number in range(5)]


async def error_and_close(client: Client) -> tuple[str, int]:
    error = await client.receive()
    code, _ = await client.closed()
    assert error["type"] == "error"
    return error["error"]["code"], code


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        (MODEL, [], ("invalid_api_key", 3000)),
        (MODEL, [("Authorization", "Bearer wrong")], ("invalid_api_key", 3000)),
        (MODEL, [("Authorization", "Basic secret")], ("invalid_api_key", 3000)),
        (MODEL, [("api-key", "secret"), ("OpenAI-Beta", "realtime=v1")], ("beta_api_shape_disabled", 4000)),
        ("", [("api-key", "secret")], ("invalid_model", 4000)),
        ("?model=gpt-1", [("api-key", "secret")], ("model_not_found", 4000)),
        ("?call_id=rtc_1", [("api-key", "secret")], ("invalid_parameter", 4000)),
        ("?intent=dictation", [("api-key", "secret")], ("invalid_parameter", 4000)),
        (MODEL + "&intent=transcription", [("api-key", "secret")], ("invalid_model", 4000)),
        ("/translations?model=gpt-realtime-translate", [("api-key", "secret")], ("invalid_event", 4000)),
    ],
)
async def test_dismissed_after_the_handshake(
    query: str, headers: list[tuple[str, str]], expected: tuple[str, int]
) -> None:
    options = Options(key="secret", models=("gpt-realtime-2.1",))
    async with (
        serve(options, Script().parts) as server,
        connected(server.url, query=query, headers=headers) as client,
    ):
        assert await error_and_close(client) == expected
        assert "secret" not in json.dumps(client.judge.frames)
    assert "secret" not in repr(options)


@pytest.mark.parametrize(
    ("query", "headers", "subprotocols", "kind"),
    [
        (MODEL, [("Authorization", "Bearer secret")], None, "realtime"),
        (MODEL, [("authorization", "bearer secret")], None, "realtime"),
        (MODEL, [("api-key", "secret")], None, "realtime"),
        (MODEL, [], ["realtime", "openai-insecure-api-key.secret"], "realtime"),
        (MODEL + "&intent=realtime", [("api-key", "secret")], None, "realtime"),
        ("?intent=transcription", [("api-key", "secret")], None, "transcription"),
    ],
)
async def test_admitted(
    query: str, headers: list[tuple[str, str]], subprotocols: list[str] | None, kind: str
) -> None:
    async with (
        serve(Options(key="secret"), Script().parts) as server,
        connected(server.url, query=query, headers=headers, subprotocols=subprotocols) as client,
    ):
        assert (await client.receive())["session"]["type"] == kind
        assert client.websocket.subprotocol == ("realtime" if subprotocols else None)
        assert server.sessions == 1


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v2/realtime?model=x", [], 404),
        ("/", [], 404),
        ("/v1/realtime?model=x", [("Origin", "https://evil.example")], 403),
        ("/v1/realtime?model=x", [("Origin", "null")], 403),
    ],
)
async def test_turned_away_before_the_handshake(
    path: str, headers: list[tuple[str, str]], status: int
) -> None:
    options = Options(origins=("https://good.example",))
    upgrade = {
        "Host": "test",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*upgrade.items(), *headers))]
    async with serve(options, Script().parts) as server:
        async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
            await stream.send_all("\r\n".join([*lines, "", ""]).encode())
            with trio.fail_after(10):
                reply = b"".join([chunk async for chunk in stream])
        assert reply.startswith(f"HTTP/1.1 {status} ".encode())
        assert reply.endswith(b".\n")
        async with connected(server.url, headers=[("Origin", "https://good.example")]) as client:
            await client.receive()


async def test_no_more_sessions_than_allowed() -> None:
    async with serve(Options(max_sessions=1), Script().parts) as server:
        async with connected(server.url) as first:
            await first.receive()
            async with connected(server.url) as second:
                assert await error_and_close(second) == ("session_limit_reached", 1013)
        while server.sessions:
            await trio.lowlevel.checkpoint()
        async with connected(server.url) as third:
            await third.receive()


async def test_no_more_connections_than_sessions_are_worth() -> None:
    async with serve(Options(max_sessions=1), Script().parts) as server, AsyncExitStack() as stack:
        for _ in range(4):
            idle = await trio.open_tcp_stream("127.0.0.1", server.port)
            await stack.enter_async_context(idle)
        async with await trio.open_tcp_stream("127.0.0.1", server.port) as late:
            with trio.fail_after(10):
                assert await ended(late)


async def ended(stream: trio.abc.ReceiveStream) -> bool:
    """Reads to the end, however it ends."""
    try:
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass
    return True


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET /v1/realtime?model=x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/realtime HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"\r\n\r\n" * 3,
    ],
)
async def test_a_peer_that_speaks_no_websocket_harms_nobody(noise: bytes) -> None:
    async with serve(Options(), Script().parts) as server:
        async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
            await stream.send_all(noise)
            await stream.send_eof()
            with trio.fail_after(10):
                assert await ended(stream)
        async with connected(server.url) as client:
            await client.receive()


async def test_a_frame_may_not_be_too_big() -> None:
    options = Options(max_message_bytes=10_000)
    async with serve(options, Script().parts) as server, connected(server.url) as client:
        await client.receive()
        await client.send("input_audio_buffer.append", audio="A" * 20_000)
        assert (await client.closed())[0] == 1009


async def test_a_frame_may_be_as_big_as_the_protocol_says() -> None:
    audio = base64.b64encode(bytes(15 * 1024 * 1024)).decode()
    async with serve(Options(), Script().parts) as server, connected(server.url) as client:
        await client.receive()
        await client.send(
            "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        )
        await client.send("input_audio_buffer.append", audio=audio)
        await client.send("input_audio_buffer.commit")
        committed = (await client.until("conversation.item.done"))[-3]
        assert committed["type"] == "input_audio_buffer.committed"


async def test_a_frame_that_is_no_event_is_answered_and_forgotten() -> None:
    async with serve(Options(), Script().parts) as server, connected(server.url) as client:
        await client.receive()
        for frame, event_id in [
            ("{", None),
            (b'{"type": "response.cancel", "response_id": 5, "event_id": "mine"}', "mine"),
            ('{"type": "conversation.item.delete", "event_id": 7}', None),
            ("[1]", None),
        ]:
            await client.websocket.send_message(frame)
            error = await client.receive()
            assert (error["type"], error["error"]["event_id"]) == ("error", event_id)


async def test_the_url_can_be_dialled_whatever_the_address() -> None:
    async with serve(Options(host="localhost"), Script().parts) as server:
        assert server.url == f"ws://localhost:{server.port}/v1/realtime"
        async with connected(server.url) as client:
            await client.receive()


async def test_an_address_in_use_is_an_oserror() -> None:
    async with serve(Options(), Script().parts) as server:
        with pytest.raises(OSError, match="in use"):
            async with serve(Options(port=server.port), Script().parts):
                pass


async def test_leaving_closes_every_session() -> None:
    script = Script()
    script.thinker.script = [[None]] * 2

    async def talk(url: str, task_status: trio.TaskStatus[None]) -> None:
        async with connected(url) as client:
            await client.say("Hello")
            await client.until("response.created")
            task_status.started()
            assert await client.closed() == (1001, "The server is shutting down.")

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery, serve(Options(), script.parts) as server:
            for _ in range(2):
                await nursery.start(talk, server.url)
    assert script.thinker.abandoned == 2
    with pytest.raises(OSError, match="all attempts to connect"):
        await trio.open_tcp_stream("127.0.0.1", server.port)


async def test_what_the_caller_raises_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with serve(Options(), Script().parts):
            raise ZeroDivisionError
