"""Answers of a server of chat completions, over real sockets."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio

from rtassist.protocol import UserContent, UserMessage
from rtassist.server.endpoints import Deadlines, endpoint_parts
from rtassist.server.parts import Ask, Call, PartFailed, Say, Thinker
from tests.server.endpoints.http_server import Exchange, calls, fragment, gathered, http_server, says, sse

ASK = Ask(
    items=(UserMessage(content=(UserContent(type="input_text", text="How much?"),)),),
    instructions="Be brief.",
    tools=(),
    tool_choice="auto",
    now=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    understood=True,
)


@asynccontextmanager
async def thinking(
    url: str, *, model: str | None = "tiny", key: str | None = None, silence_s: float = 30
) -> AsyncIterator[Thinker]:
    deadlines = Deadlines(between_bytes_s=silence_s)
    async with endpoint_parts(llm_url=url, llm_model=model, llm_key=key, deadlines=deadlines) as parts:
        assert (parts[0], parts[2]) == (None, None)
        assert parts[1] is not None
        yield parts[1]


def text(pieces: list[Say | Call]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Say))


async def test_an_answer() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(
            sse(says("Three", " hundred", " and", " one.")), content_type="text/event-stream"
        )

    async with http_server(answer) as server, thinking(server.url, key="k3y") as thinker:
        for _ in range(2):
            assert await gathered(thinker.answer(ASK)) == (
                [Say(text="Three "), Say(text="hundred "), Say(text="and "), Say(text="one.")],
                None,
            )
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer k3y"
    assert request.json == {
        "model": "tiny",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How much?"},
        ],
    }
    assert server.connections == 1


async def test_the_first_words_come_before_the_last_are_known() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin(content_type="text/event-stream")
        await exchange.send(sse(says("Well", ", ", reason=None), done=False))
        await heard.wait()
        await exchange.send(sse(says("no.")))
        await exchange.end()

    heard = trio.Event()
    async with http_server(answer) as server, thinking(server.url) as thinker:
        came = []
        async for piece in thinker.answer(ASK):
            came.append(piece)
            heard.set()
    assert came == [Say(text="Well, "), Say(text="no.")]


async def test_the_last_words_do_not_wait_for_the_connection_which_is_kept() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin(content_type="text/event-stream")
        await exchange.send(sse(says("No.")))
        await heard.wait()
        await exchange.end()

    async with http_server(answer) as server, thinking(server.url) as thinker:
        for _ in range(2):
            heard = trio.Event()
            async for piece in thinker.answer(ASK):
                assert piece == Say(text="No.")
                heard.set()
    assert server.connections == 1


async def test_function_calls_come_after_the_words() -> None:
    async def answer(exchange: Exchange) -> None:
        chunks = calls(
            fragment(0, '{"minutes"', name="timer", id="1"),
            fragment(1, "{}", name="now", id="2"),
            fragment(0, ":5}"),
        )
        await exchange.answer(sse([*says("One moment.", reason=None), *chunks], done=False))

    async with http_server(answer) as server, thinking(server.url) as thinker:
        assert await gathered(thinker.answer(ASK)) == (
            [
                Say(text="One "),
                Say(text="moment."),
                Call(name="timer", arguments='{"minutes":5}'),
                Call(name="now", arguments="{}"),
            ],
            None,
        )


async def test_what_was_said_before_it_broke_off() -> None:
    async def stop(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(sse(says("I would sa", reason=None), done=False))
        await exchange.send(sse(calls(fragment(0, "{}", name="f", id="1"))[:1], done=False))

    async with http_server(stop) as server, thinking(server.url) as thinker:
        pieces, failed = await gathered(thinker.answer(ASK))
    assert text(pieces) == "I would sa"
    assert not any(isinstance(piece, Call) for piece in pieces)
    assert failed is not None
    assert failed.code == "llm_broken_off"


@pytest.mark.parametrize(
    ("chunks", "done", "code"),
    [
        (says("And then", reason=None), False, "llm_timeout"),
        (says("And then"), False, None),
        (says("And then", reason=None), True, None),
    ],
    ids=["before the end", "after the reason", "after the end"],
)
async def test_silence(chunks: list[object], done: bool, code: str | None) -> None:
    async def falter(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(sse(chunks, done=done))
        await exchange.hang()

    async with http_server(falter) as server, thinking(server.url, silence_s=0.2) as thinker:
        pieces, failed = await gathered(thinker.answer(ASK))
    assert text(pieces) == "And then"
    assert (failed.code if failed else None) == code


async def test_an_endless_answer() -> None:
    async def ramble(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.send(sse(says("and so on " * 1000, reason=None), done=False))

    async with http_server(ramble) as server, thinking(server.url) as thinker:
        pieces, failed = await gathered(thinker.answer(ASK))
    assert failed is not None
    assert failed.code == "llm_too_long"
    assert 100_000 <= len(text(pieces)) < 120_000


async def test_an_unknown_model() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer({"error": {"message": 'model "tiny" not found, try pulling it first'}}, 404)

    async with http_server(refuse) as server, thinking(server.url) as thinker:
        pieces, failed = await gathered(thinker.answer(ASK))
    assert pieces == []
    assert failed is not None
    assert failed.code == "llm_not_found"
    assert 'model "tiny" not found, try pulling it first' in failed.message
    assert "RTASSIST_LLM_MODEL" in failed.message


@pytest.mark.parametrize("between", [False, True])
async def test_an_answer_that_is_abandoned(between: bool) -> None:
    """Either while it is waited for, or between two pieces; the next one is not harmed."""

    async def answer(exchange: Exchange) -> None:
        if len(server.requests) > 1:
            await exchange.answer(sse(says("Yes.")))
            return
        await exchange.begin()
        await exchange.send(sse(says("Well, let me", reason=None), done=False))
        await exchange.hang()

    async with http_server(answer) as server, thinking(server.url) as thinker:
        with trio.CancelScope() as scope:
            async with aclosing(thinker.answer(ASK)) as pieces:
                assert await anext(pieces) == Say(text="Well, let ")
                if not between:
                    scope.cancel()
                    await anext(pieces)
        assert scope.cancelled_caught is not between
        await server.until_open(0)
        assert await gathered(thinker.answer(ASK)) == ([Say(text="Yes.")], None)


async def answer_with_the_model(exchange: Exchange) -> None:
    if exchange.request.method == "GET":
        assert exchange.request.target == "/v1/models"
        await exchange.answer({"object": "list", "data": [{"id": "first:4b"}, {"id": "second"}]})
    else:
        await exchange.answer(sse(says(exchange.request.json["model"])))


async def test_the_first_model_is_asked_for_once() -> None:
    said: list[object] = []

    async def ask(thinker: Thinker) -> None:
        said.append(await gathered(thinker.answer(ASK)))

    async with (
        http_server(answer_with_the_model) as server,
        thinking(server.url, model=None) as thinker,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(ask, thinker)
    assert said == [([Say(text="first:4b")], None)] * 3
    assert [request.method for request in server.requests].count("GET") == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"data": []}, 200, "llm_no_model", "Load one there, or name it in RTASSIST_LLM_MODEL"),
        ({"data": [{"id": ""}]}, 200, "llm_no_model", "names no model"),
        (b"soon", 200, "llm_no_model", "names no model"),
        (b"<html>", 200, "llm_bad_answer", "web page"),
        (b"", 404, "llm_not_found", "has no such thing"),
    ],
)
async def test_no_model(body: object, status: int, code: str, words: str) -> None:
    async def list_models(exchange: Exchange) -> None:
        await exchange.answer(body, status)

    async with http_server(list_models) as server, thinking(server.url, model=None) as thinker:
        for _ in range(2):
            with pytest.raises(PartFailed, match=words) as failed:
                await anext(thinker.answer(ASK))
            assert failed.value.code == code
    assert len(server.requests) == 2
