"""Hearing, thinking and speaking by OpenAI-compatible HTTP endpoints, in place of the parts that are built
in."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from rtassist.server.endpoints.audio_speech import AudioSpeech
from rtassist.server.endpoints.audio_transcriptions import AudioTranscriptions
from rtassist.server.endpoints.chat_completions import ChatCompletions
from rtassist.server.endpoints.endpoint import Deadlines, Endpoint, open_endpoint
from rtassist.server.parts import Recogniser, Synthesiser, Thinker

__all__ = ["AudioSpeech", "AudioTranscriptions", "ChatCompletions", "Deadlines", "endpoint_parts"]


@asynccontextmanager
async def endpoint_parts(
    *,
    llm_url: str | None = None,
    llm_key: str | None = None,
    llm_model: str | None = None,
    stt_url: str | None = None,
    stt_key: str | None = None,
    stt_model: str | None = None,
    tts_url: str | None = None,
    tts_key: str | None = None,
    tts_model: str | None = None,
    deadlines: Deadlines | None = None,
    environ: Mapping[str, str] = os.environ,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[Recogniser | None, Thinker | None, Synthesiser | None]]:
    """Those of the three that have a URL, a base such as http://127.0.0.1:11434/v1; nothing is sent before
    they are used.

    A key goes nowhere but to its own URL; whether that is encrypted well enough is the settings' matter.
    Proxies are what `environ` names; `ssl_context` is what https is checked with, Python's default if None.
    Raises SettingsWrong and CannotConnect for what can never work.
    """
    recogniser: Recogniser | None = None
    thinker: Thinker | None = None
    synthesiser: Synthesiser | None = None
    async with AsyncExitStack() as stack:

        async def opened(service: str, code: str, path: str, url: str, key: str | None) -> Endpoint:
            return await stack.enter_async_context(
                open_endpoint(
                    service,
                    code,
                    path,
                    url=url,
                    key=key,
                    deadlines=deadlines or Deadlines(),
                    environ=environ,
                    ssl_context=ssl_context,
                )
            )

        if stt_url:
            endpoint = await opened("speech recognition", "stt", "/audio/transcriptions", stt_url, stt_key)
            recogniser = AudioTranscriptions(endpoint, stt_model)
        if llm_url:
            endpoint = await opened("language model", "llm", "/chat/completions", llm_url, llm_key)
            thinker = ChatCompletions(endpoint, llm_model)
        if tts_url:
            endpoint = await opened("speech synthesis", "tts", "/audio/speech", tts_url, tts_key)
            synthesiser = AudioSpeech(endpoint, tts_model)
        yield recogniser, thinker, synthesiser
