"""Hearing by a server of audio transcriptions: a Whisper server, speaches, LocalAI, OpenAI."""

from __future__ import annotations

import io
import wave

import orjson
import trio

from rtassist.audio.pcm import BYTES_PER_SAMPLE
from rtassist.server.endpoints.endpoint import Endpoint
from rtassist.server.endpoints.failures import words_in
from rtassist.server.parts import Transcript

# The name that servers of other models answer to as well.
_DEFAULT_MODEL = "whisper-1"
_RATE = 24_000
_MAX_BYTES = 1024 * 1024


class AudioTranscriptions:
    """A Recogniser. The whole utterance goes out at its end, as a WAV file."""

    def __init__(self, endpoint: Endpoint, model: str | None) -> None:
        self._endpoint = endpoint
        self._model = model or _DEFAULT_MODEL

    async def transcribe(
        self, chunks: trio.MemoryReceiveChannel[bytes], *, language: str | None
    ) -> Transcript:
        """See Recogniser. Everything is understood: such a server knows no list of sentences."""
        pcm = b"".join([chunk async for chunk in chunks])
        if not pcm:
            return Transcript(text="", understood=True)
        fields = {"model": self._model} | ({"language": language} if language else {})
        file = ("speech.wav", _wav(pcm), "audio/wav")
        async with self._endpoint.ask(data=fields, files={"file": file}) as response:
            body = await self._endpoint.whole(response, limit=_MAX_BYTES)
        return Transcript(text=self._text(body), understood=True)

    def _text(self, body: bytes) -> str:
        """Of JSON the field `text`, of anything else all of it: whisper.cpp and OpenAI can answer in plain
        text."""
        peer = self._endpoint.peer
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            answer = None
        match answer:
            case {"text": str(text)}:
                return text.strip()
            case dict():
                words = peer.quoted(words_in(body)) or "no text in it"
                raise peer.failed("bad_answer", f'answered without a transcript: "{words}".')
        if body.lstrip().startswith(b"<"):
            raise peer.no_page()
        try:
            return body.decode().strip()
        except UnicodeDecodeError:
            raise peer.failed("bad_answer", "answered with what is no text.") from None


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_PER_SAMPLE)
        writer.setframerate(_RATE)
        writer.writeframes(pcm)
    return file.getvalue()
