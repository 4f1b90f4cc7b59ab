"""Speaking by a server of audio speech: Kokoro, speaches, LocalAI, OpenAI."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2
from attrs import frozen

from rtassist.server.endpoints.endpoint import Endpoint
from rtassist.server.endpoints.failures import Declined, words_in
from rtassist.server.endpoints.sound import NotPlayable, Sound
from rtassist.server.parts import PartFailed

# Names that servers of other models and voices answer to as well.
_DEFAULT_MODEL = "tts-1"
_DEFAULT_VOICE = "alloy"
_MAX_SPEECH_BYTES = 10 * 60 * 24_000 * 2


@frozen
class _Manner:
    """How speech is asked for."""

    format: str
    voice: str


class AudioSpeech:
    """A Synthesiser. Raw sound is asked for, which starts soonest, and a WAV file from who has none; a voice
    that the server does not know is replaced by `alloy`. What it accepted is remembered."""

    def __init__(self, endpoint: Endpoint, model: str | None) -> None:
        self._endpoint = endpoint
        self._model = model or _DEFAULT_MODEL
        self._format = "pcm"
        self._unknown_voices: set[str] = set()

    async def speak(self, text: str, *, voice: str, speed: float) -> AsyncGenerator[bytes]:
        """See Synthesiser."""
        if not any(character.isalnum() for character in text):
            return
        manner = _Manner(self._format, _DEFAULT_VOICE if voice in self._unknown_voices else voice)
        while True:
            body: dict[str, object] = {
                "model": self._model,
                "input": text,
                "voice": manner.voice,
                "response_format": manner.format,
            }
            if speed != 1:
                body["speed"] = speed
            try:
                async with self._endpoint.ask(json=body) as response:
                    self._format = manner.format
                    if manner.voice != voice and len(self._unknown_voices) < 1000:
                        self._unknown_voices.add(voice)
                    async with aclosing(self._sound(response)) as chunks:
                        async for pcm in chunks:
                            yield pcm
                return
            except Declined as declined:
                otherwise = _otherwise(manner, declined)
                if otherwise is None:
                    raise
                manner = otherwise

    async def _sound(self, response: httpx2.Response) -> AsyncGenerator[bytes]:
        content_type = response.headers.get("content-type", "")
        if content_type.lower().startswith(("text/", "application/json")):
            raise self._no_sound(await self._endpoint.beginning(response))
        sound = Sound(content_type)
        size = 0
        async with aclosing(self._endpoint.body(response)) as chunks:
            try:
                async for chunk in chunks:
                    if pcm := sound.convert(chunk):
                        size += len(pcm)
                        yield pcm
                    if size > _MAX_SPEECH_BYTES:
                        raise self._endpoint.peer.failed(
                            "too_long", "would not come to an end with its speech."
                        )
                if pcm := sound.finish():
                    yield pcm
            except NotPlayable as what:
                raise self._endpoint.peer.failed(
                    "bad_answer", f"answered with {self._endpoint.peer.quoted(str(what), 100)}."
                ) from None

    def _no_sound(self, body: bytes) -> PartFailed:
        peer = self._endpoint.peer
        if body.lstrip().startswith(b"<"):
            return peer.no_page()
        words = peer.quoted(words_in(body)) or "no reason given"
        return peer.failed("bad_answer", f'answered with words and not with sound: "{words}".')


def _otherwise(manner: _Manner, declined: Declined) -> _Manner | None:
    """Another way to ask after this was declined; None: there is none."""
    if declined.status not in (400, 422):
        return None
    if "voice" in declined.words.lower() and manner.voice != _DEFAULT_VOICE:
        return _Manner(manner.format, _DEFAULT_VOICE)
    return _Manner("wav", manner.voice) if manner.format == "pcm" else None
