"""Transcripts from a server of audio transcriptions, over real sockets."""

import io
import wave
from email.message import Message
from email.parser import BytesParser

import pytest
import trio
import trio.testing

from rtassist.server.endpoints import endpoint_parts
from rtassist.server.parts import PartFailed, Recogniser, Transcript
from tests.server.endpoints.http_server import Exchange, Request, http_server
from tests.server.sounds import tone


def form(request: Request) -> dict[str, Message]:
    """The parts of a multipart/form-data request by their names."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parsed = BytesParser().parsebytes(head + request.body)
    return {str(part.get_param("name", header="content-disposition")): part for part in parsed.get_payload()}


async def transcript(
    recogniser: Recogniser | None, *chunks: bytes, language: str | None = None
) -> Transcript:
    assert recogniser is not None
    send, receive = trio.open_memory_channel[bytes](len(chunks))
    for chunk in chunks:
        send.send_nowait(chunk)
    send.close()
    return await recogniser.transcribe(receive, language=language)


async def hear(exchange: Exchange) -> None:
    await exchange.answer({"text": " What time is it? "})


async def test_an_utterance() -> None:
    async with (
        http_server(hear) as server,
        endpoint_parts(stt_url=server.url, stt_key="k3y", stt_model="tiny") as (
            recogniser,
            thinker,
            synthesiser,
        ),
    ):
        heard = await transcript(recogniser, tone(100), tone(50, hertz=600), language="de")
    assert (thinker, synthesiser) == (None, None)
    assert heard == Transcript(text="What time is it?", understood=True)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/v1/audio/transcriptions")
    assert request.headers["authorization"] == "Bearer k3y"
    parts = form(request)
    assert parts.keys() == {"file", "model", "language"}
    assert [parts[name].get_payload() for name in ("model", "language")] == ["tiny", "de"]
    assert parts["file"].get_filename() == "speech.wav"
    with wave.open(io.BytesIO(parts["file"].get_payload(decode=True))) as file:
        assert file.getparams()[:4] == (1, 2, 24_000, 150 * 24)
        assert file.readframes(10_000) == tone(100) + tone(50, hertz=600)


async def test_nothing_is_asked_before_the_utterance_is_over() -> None:
    async with http_server(hear) as server, endpoint_parts(stt_url=server.url) as (recogniser, _, _):
        assert recogniser is not None
        send, receive = trio.open_memory_channel[bytes](1)
        async with trio.open_nursery() as nursery:

            async def speak() -> None:
                await send.send(tone(20))
                await trio.testing.wait_all_tasks_blocked()
                assert server.requests == []
                send.close()

            nursery.start_soon(speak)
            assert (await recogniser.transcribe(receive, language=None)).text == "What time is it?"
    parts = form(server.requests[0])
    assert parts.keys() == {"file", "model"}
    assert parts["model"].get_payload() == "whisper-1"


async def test_an_utterance_without_sound_costs_no_request() -> None:
    async with http_server(hear) as server, endpoint_parts(stt_url=server.url) as (recogniser, _, _):
        assert await transcript(recogniser) == Transcript(text="", understood=True)
        assert await transcript(recogniser, b"", b"") == Transcript(text="", understood=True)
    assert server.requests == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"text": ""}, ""),
        ({"text": "Ja.", "language": "de", "segments": []}, "Ja."),
        (b" What time is it?\n", "What time is it?"),
        (b"42", "42"),
        (b"null", "null"),
        ("Grüße".encode(), "Grüße"),
        (b"", ""),
    ],
)
async def test_answers(body: object, text: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(body)

    async with http_server(answer) as server, endpoint_parts(stt_url=server.url) as (recogniser, _, _):
        assert await transcript(recogniser, tone(100)) == Transcript(text=text, understood=True)


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"error": {"message": "no such model"}}, 200, "stt_bad_answer", '"no such model"'),
        ({"transcript": "Yes"}, 200, "stt_bad_answer", "no text in it"),
        (b"<html>Hi</html>", 200, "stt_bad_answer", "web page. Is RTASSIST_STT_URL"),
        (b"\xff\xfe\xfd", 200, "stt_bad_answer", "no text"),
        (b"x" * 1_100_000, 200, "stt_too_long", "1048576 bytes"),
        ({"detail": "Model 'x' is not installed"}, 404, "stt_not_found", "Model 'x' is not installed"),
        (b"", 413, "stt_refused", "HTTP 413"),
        (b"", 500, "stt_failed", "The speech recognition at 127.0.0.1:"),
    ],
)
async def test_failures(body: object, status: int, code: str, words: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(body, status)

    async with http_server(answer) as server, endpoint_parts(stt_url=server.url) as (recogniser, _, _):
        with pytest.raises(PartFailed) as failed:
            await transcript(recogniser, tone(100))
    assert failed.value.code == code
    assert words in failed.value.message


async def test_an_abandoned_utterance_harms_no_other() -> None:
    async def answer(exchange: Exchange) -> None:
        if len(server.requests) == 1:
            scope.cancel()
            await exchange.hang()
        else:
            await hear(exchange)

    async with http_server(answer) as server, endpoint_parts(stt_url=server.url) as (recogniser, _, _):
        with trio.CancelScope() as scope:
            await transcript(recogniser, tone(100))
        assert scope.cancelled_caught
        await server.until_open(0)
        assert (await transcript(recogniser, tone(100))).text == "What time is it?"
