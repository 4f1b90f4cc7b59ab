"""Sound from a server of audio speech, over real sockets."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
import trio

from rtassist.audio.pcm import resample, to_float, to_pcm16
from rtassist.server.endpoints import Deadlines, endpoint_parts
from rtassist.server.parts import Synthesiser
from tests.server.endpoints.http_server import Exchange, gathered, http_server
from tests.server.endpoints.test_sound import wav
from tests.server.sounds import tone

TONE = tone(100)


@asynccontextmanager
async def speaking(
    url: str, *, model: str | None = None, silence_s: float = 30
) -> AsyncIterator[Synthesiser]:
    deadlines = Deadlines(between_bytes_s=silence_s)
    async with endpoint_parts(tts_url=url, tts_key="k3y", tts_model=model, deadlines=deadlines) as parts:
        assert parts[:2] == (None, None)
        assert parts[2] is not None
        yield parts[2]


async def spoken(
    synthesiser: Synthesiser, text: str = "Hello.", *, voice: str = "nova", speed: float = 1
) -> bytes:
    chunks, failed = await gathered(synthesiser.speak(text, voice=voice, speed=speed))
    if failed is not None:
        raise failed
    assert all(chunk and len(chunk) % 2 == 0 for chunk in chunks)
    return b"".join(chunks)


async def speak(exchange: Exchange) -> None:
    await exchange.answer(TONE, content_type="audio/pcm")


async def test_speech() -> None:
    async with http_server(speak) as server, speaking(server.url) as synthesiser:
        assert await spoken(synthesiser) == TONE
        await spoken(synthesiser, voice="af_sky", speed=1.25)
    first, second = (request.json for request in server.requests)
    assert first == {"model": "tts-1", "input": "Hello.", "voice": "nova", "response_format": "pcm"}
    assert (second["voice"], second["speed"]) == ("af_sky", 1.25)
    assert server.requests[0].target == "/v1/audio/speech"
    assert server.requests[0].headers["authorization"] == "Bearer k3y"
    assert server.connections == 1


async def test_the_model_that_was_chosen() -> None:
    async with http_server(speak) as server, speaking(server.url, model="kokoro") as synthesiser:
        await spoken(synthesiser)
    assert server.requests[0].json["model"] == "kokoro"


async def test_sound_comes_as_it_is_made_and_never_half_a_sample() -> None:
    async def dribble(exchange: Exchange) -> None:
        await exchange.begin(content_type="audio/pcm")
        await exchange.send(TONE[:961])
        await heard.wait()
        for start in range(961, len(TONE), 7):
            await exchange.send(TONE[start : start + 7])
        await exchange.end()

    heard = trio.Event()
    async with http_server(dribble) as server, speaking(server.url) as synthesiser:
        pcm = b""
        async for chunk in synthesiser.speak("Hello.", voice="nova", speed=1):
            assert len(chunk) % 2 == 0
            pcm += chunk
            heard.set()
    assert pcm == TONE


async def test_a_wav_file_at_another_rate() -> None:
    async def speak_in_file(exchange: Exchange) -> None:
        await exchange.begin(content_type="audio/wav")
        data = wav(TONE, rate=16_000)
        for start in range(0, len(data), 333):
            await exchange.send(data[start : start + 333])
        await exchange.end()

    async with http_server(speak_in_file) as server, speaking(server.url) as synthesiser:
        pcm = await spoken(synthesiser)
    assert pcm == to_pcm16(resample(to_float(TONE), 16_000, 24_000))


@pytest.mark.parametrize("text", ["", " ", "…!", "—", "🙂"])
async def test_nothing_to_speak_costs_no_request(text: str) -> None:
    async with http_server(speak) as server, speaking(server.url) as synthesiser:
        assert await spoken(synthesiser, text) == b""
    assert server.requests == []


PCM_UNKNOWN = {"detail": [{"loc": ["body", "response_format"], "msg": "Input should be 'mp3' or 'wav'"}]}


def picky(*, formats: tuple[str, ...] = ("pcm", "wav"), voices: tuple[str, ...] = ("alloy",)) -> Any:
    """A server that refuses what it does not know, first the format, as FastAPI does, then the voice."""

    async def script(exchange: Exchange) -> None:
        asked = exchange.request.json
        if asked["response_format"] not in formats:
            await exchange.answer(PCM_UNKNOWN, 422)
        elif asked["voice"] not in voices:
            words = f"Voice '{asked['voice']}' not found. Available voices: {', '.join(voices)}"
            await exchange.answer({"detail": {"error": "validation_error", "message": words}}, 400)
        elif asked["response_format"] == "wav":
            await exchange.answer(wav(TONE), content_type="audio/wav")
        else:
            await speak(exchange)

    return script


@pytest.mark.parametrize(
    ("formats", "voice", "manners"),
    [
        (("pcm", "wav"), "alloy", [("pcm", "alloy")] * 2),
        (("wav",), "alloy", [("pcm", "alloy"), ("wav", "alloy"), ("wav", "alloy")]),
        (("pcm", "wav"), "marin", [("pcm", "marin"), ("pcm", "alloy"), ("pcm", "alloy")]),
        (("wav",), "marin", [("pcm", "marin"), ("wav", "marin"), ("wav", "alloy"), ("wav", "alloy")]),
    ],
)
async def test_what_is_refused_is_asked_for_otherwise_and_remembered(
    formats: tuple[str, ...], voice: str, manners: list[tuple[str, str]]
) -> None:
    async with http_server(picky(formats=formats)) as server, speaking(server.url) as synthesiser:
        assert await spoken(synthesiser, voice=voice) == TONE
        assert await spoken(synthesiser, voice=voice) == TONE
    asked = [request.json for request in server.requests]
    assert [(one["response_format"], one["voice"]) for one in asked] == manners


async def test_a_voice_that_is_known_is_kept_beside_one_that_is_not() -> None:
    async with http_server(picky(voices=("alloy", "af_sky"))) as server, speaking(server.url) as synthesiser:
        await spoken(synthesiser, voice="marin")
        await spoken(synthesiser, voice="af_sky")
    assert server.requests[-1].json["voice"] == "af_sky"


@pytest.mark.parametrize(
    ("formats", "voices", "words"),
    [(("mp3",), ("alloy",), "Input should be"), (("pcm",), (), "Voice 'alloy' not found")],
)
async def test_what_is_refused_however_it_is_asked_for(
    formats: tuple[str, ...], voices: tuple[str, ...], words: str
) -> None:
    async with (
        http_server(picky(formats=formats, voices=voices)) as server,
        speaking(server.url) as synthesiser,
    ):
        chunks, failed = await gathered(synthesiser.speak("Hello.", voice="marin", speed=1))
        assert failed is not None
        assert (chunks, failed.code) == ([], "tts_refused")
        await gathered(synthesiser.speak("Hello.", voice="marin", speed=1))
    first, second = server.requests[0], server.requests[len(server.requests) // 2]
    assert first.json == second.json, "what did not help is not remembered"


@pytest.mark.parametrize("status", [401, 404, 429, 500])
async def test_other_refusals_are_not_argued_with(status: int) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer({"error": {"message": "no voice for you"}}, status)

    async with http_server(refuse) as server, speaking(server.url) as synthesiser:
        _, failed = await gathered(synthesiser.speak("Hello.", voice="nova", speed=1))
    assert failed is not None
    assert "The speech synthesis at" in failed.message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"<html>Hi</html>" + b" " * 100_000, "text/html; charset=utf-8", "web page. Is RTASSIST_TTS_URL"),
        (b'{"error": "voice pack missing"}', "application/json", '"voice pack missing"'),
        (b"{}", "application/json", "no reason given"),
        (b"\xff\xfb\x90\x64" * 100, "audio/mpeg", "compressed sound (audio/mpeg)"),
        (wav(bytes(100), width=1), "audio/wav", "8 bits"),
    ],
)
async def test_what_is_no_sound(body: bytes, content_type: str, words: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(body, content_type=content_type)

    async with http_server(answer) as server, speaking(server.url) as synthesiser:
        chunks, failed = await gathered(synthesiser.speak("Hello.", voice="nova", speed=1))
    assert failed is not None
    assert (chunks, failed.code) == ([], "tts_bad_answer")
    assert words in failed.message


@pytest.mark.parametrize(("hangs", "code"), [(False, "tts_broken_off"), (True, "tts_timeout")])
async def test_what_sounded_before_it_broke_off(hangs: bool, code: str) -> None:
    async def stop(exchange: Exchange) -> None:
        await exchange.begin(content_type="audio/pcm")
        await exchange.send(TONE[:1001])
        if hangs:
            await exchange.hang()

    async with http_server(stop) as server, speaking(server.url, silence_s=0.2) as synthesiser:
        chunks, failed = await gathered(synthesiser.speak("Hello.", voice="nova", speed=1))
    assert b"".join(chunks) == TONE[:1000]
    assert failed is not None
    assert failed.code == code


async def test_endless_speech() -> None:
    async def hum(exchange: Exchange) -> None:
        await exchange.begin(content_type="audio/pcm")
        while True:
            await exchange.send(bytes(1_000_000))

    async with http_server(hum) as server, speaking(server.url) as synthesiser:
        chunks, failed = await gathered(synthesiser.speak("Hello.", voice="nova", speed=1))
    assert failed is not None
    assert failed.code == "tts_too_long"
    assert 600 * 48_000 <= sum(map(len, chunks)) < 610 * 48_000


@pytest.mark.parametrize("between", [False, True])
async def test_speech_that_is_abandoned(between: bool) -> None:
    async def stall_once(exchange: Exchange) -> None:
        if len(server.requests) > 1:
            await speak(exchange)
            return
        await exchange.begin(content_type="audio/pcm")
        await exchange.send(TONE)
        await exchange.hang()

    async with http_server(stall_once) as server, speaking(server.url) as synthesiser:
        with trio.CancelScope() as scope:
            async with aclosing(synthesiser.speak("Hello.", voice="nova", speed=1)) as chunks:
                assert await anext(chunks) == TONE
                if not between:
                    scope.cancel()
                    await anext(chunks)
        await server.until_open(0)
        assert await spoken(synthesiser) == TONE
