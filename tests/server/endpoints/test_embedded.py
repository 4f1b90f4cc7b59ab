"""The embedded server in front of HTTP endpoints: our own client, a real WebSocket, a real HTTP server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from rtassist.link.websocket import Link, connect
from rtassist.protocol import (
    AudioConfig,
    AudioOutput,
    ConversationItemCreate,
    FunctionCall,
    FunctionCallOutput,
    FunctionTool,
    InputAudioBufferAppend,
    Response,
    ResponseCreate,
    ResponseDone,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    Session,
    SessionUpdate,
    UserContent,
    UserMessage,
)
from rtassist.server.connection import Parts
from rtassist.server.endpoints import endpoint_parts
from rtassist.server.hearing import EnergyEar
from rtassist.server.serve import Options, serve
from tests.server.endpoints.http_server import (
    Exchange,
    Script,
    Server,
    calls,
    fragment,
    http_server,
    says,
    sse,
)
from tests.server.sounds import silence, tone

TIMER = FunctionTool(
    name="start_timer",
    description="Rings after some minutes.",
    parameters={"type": "object", "properties": {"minutes": {"type": "number"}}},
)


@asynccontextmanager
async def conversation(script: Script, *, session: Session) -> AsyncIterator[tuple[Link, Server]]:
    async with (
        http_server(script) as endpoints,
        endpoint_parts(
            llm_url=endpoints.url, llm_model="tiny", stt_url=endpoints.url, tts_url=endpoints.url
        ) as (recogniser, thinker, synthesiser),
    ):
        assert thinker is not None
        parts = Parts(recogniser=recogniser, thinker=thinker, synthesiser=synthesiser, open_ear=EnergyEar)
        async with serve(Options(), parts) as server, connect(f"{server.url}?model=tiny") as link:
            await link.send(SessionUpdate(session=session))
            yield link, endpoints


async def until_done(link: Link) -> tuple[list[object], Response]:
    """What came up to the end of a response, and the response."""
    seen: list[object] = []
    while True:
        _, event = await link.receive()
        seen.append(event)
        if isinstance(event, ResponseDone):
            return seen, event.response


async def type_in(link: Link, text: str) -> None:
    item = UserMessage(content=(UserContent(type="input_text", text=text),))
    await link.send(ConversationItemCreate(item=item))
    await link.send(ResponseCreate())


async def test_a_function_call_goes_to_the_client_and_its_result_to_the_model() -> None:
    async def answer(exchange: Exchange) -> None:
        if exchange.request.json["messages"][-1]["role"] == "user":
            call = calls(fragment(0, '{"minutes"', name="start_timer", id="x"), fragment(0, ":5}"))
            await exchange.answer(sse([*says("One moment.", reason=None), *call]))
        else:
            await exchange.answer(sse(says("It rings", " in five minutes.")))

    session = Session(type="realtime", instructions="Be brief.", output_modalities=("text",), tools=(TIMER,))
    async with conversation(answer, session=session) as (link, endpoints):
        await type_in(link, "Five minutes, please.")
        seen, first = await until_done(link)
        (called,) = [event for event in seen if isinstance(event, ResponseFunctionCallArgumentsDone)]
        await link.send(
            ConversationItemCreate(item=FunctionCallOutput(call_id=str(called.call_id), output='{"id": 1}'))
        )
        await link.send(ResponseCreate())
        _, second = await until_done(link)

    assert first.output is not None
    message, call = first.output
    assert message.content[0].text == "One moment."
    assert isinstance(call, FunctionCall)
    assert (call.name, call.arguments) == ("start_timer", '{"minutes":5}')
    assert second.output[0].content[0].text == "It rings in five minutes."
    asked, answered = (request.json for request in endpoints.requests)
    assert asked["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "start_timer",
                "description": TIMER.description,
                "parameters": TIMER.parameters,
            },
        }
    ]
    function = {"name": "start_timer", "arguments": '{"minutes":5}'}
    assert answered["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Five minutes, please."},
        {
            "role": "assistant",
            "content": "One moment.",
            "tool_calls": [{"id": call.call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call.call_id, "content": '{"id": 1}'},
    ]


async def test_a_failure_reaches_the_client_in_words_and_the_session_goes_on() -> None:
    async def answer(exchange: Exchange) -> None:
        if len(endpoints.requests) == 1:
            await exchange.answer({"error": {"message": "out of memory"}}, 500)
        else:
            await exchange.answer(sse(says("Yes.")))

    async with conversation(answer, session=Session(type="realtime", output_modalities=("text",))) as (
        link,
        endpoints,
    ):
        await type_in(link, "Are you there?")
        _, failed = await until_done(link)
        await type_in(link, "And now?")
        _, done = await until_done(link)
    assert failed.status == "failed"
    assert failed.status_details
    assert failed.status_details.error
    assert failed.status_details.error.code == "llm_failed"
    assert "out of memory" in str(failed.status_details.error.message)
    assert done.status == "completed"


async def test_a_spoken_turn_through_all_three() -> None:
    async def answer(exchange: Exchange) -> None:
        match exchange.request.target:
            case "/v1/audio/transcriptions":
                await exchange.answer({"text": "What time is it?"})
            case "/v1/chat/completions":
                await exchange.answer(sse(says("Nine", " o'clock.", " In the morning.")))
            case "/v1/audio/speech":
                await exchange.answer(
                    tone(10 * len(exchange.request.json["input"])), content_type="audio/pcm"
                )

    session = Session(type="realtime", audio=AudioConfig(output=AudioOutput(voice="nova")))
    async with conversation(answer, session=session) as (link, endpoints):
        for piece in (silence(400), tone(600), silence(700)):
            await link.send(InputAudioBufferAppend(audio=piece))
        with trio.fail_after(10):
            seen, done = await until_done(link)
    assert done.status == "completed"
    sound = b"".join(event.delta for event in seen if isinstance(event, ResponseOutputAudioDelta))
    assert sound == tone(10 * len("Nine o'clock.")) + tone(10 * len("In the morning."))
    targets = [request.target.removeprefix("/v1/") for request in endpoints.requests]
    assert sorted(targets) == ["audio/speech", "audio/speech", "audio/transcriptions", "chat/completions"]
    (asked,) = [request.json for request in endpoints.requests if request.target.endswith("completions")]
    assert asked["messages"][-1] == {"role": "user", "content": "What time is it?"}
    spoken = [request.json for request in endpoints.requests if request.target.endswith("speech")]
    assert [one["voice"] for one in spoken] == ["nova", "nova"]
