"""The embedded server with the parts that the settings mean: for our own conversation, or for others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

import trio

from rtassist import errors
from rtassist.link.address import is_loopback
from rtassist.server.offline import offline_parts
from rtassist.server.recognition import recogniser_available
from rtassist.server.serve import Options, Parts, serve
from rtassist.server.synthesis import synthesiser_available
from rtassist.settings import Secret, Settings

if TYPE_CHECKING:
    from rtassist.server.parts import Recogniser, Synthesiser, Thinker

    DistantParts = tuple[Recogniser | None, Thinker | None, Synthesiser | None]


@asynccontextmanager
async def embedded(settings: Settings) -> AsyncIterator[str]:
    """Our own server for our own conversation; gives its URL."""
    async with (
        server_parts(settings, sound=not settings.text) as (parts, _),
        serve(Options(), parts) as server,
    ):
        yield server.url


def mute(settings: Settings) -> str:
    """Why our own server cannot speak, as a sentence; empty where it can. Loads nothing."""
    return "" if settings.tts_url else synthesiser_available()


def deaf(settings: Settings) -> str:
    """As `mute`, for hearing."""
    if settings.stt_url:
        return ""
    if (missing := recogniser_available()) or settings.language in (None, "en"):
        return missing
    return (
        f"The embedded server hears English only, and {settings.source('language')} is {settings.language}. "
        "Name a transcription server in RTASSIST_STT_URL to speak it."
    )


async def serve_others(settings: Settings, tell: Callable[[str], None]) -> NoReturn:
    """Run the server until it is cancelled; its URL is the one line on stdout."""
    options = Options(
        host=settings.host,
        port=settings.port,
        key=_revealed(settings.server_key),
        origins=settings.origins,
        max_sessions=settings.max_sessions,
        expires_after_s=settings.expires_s,
        latency_ms=settings.latency_ms,
        jitter_ms=settings.jitter_ms,
        wire_extras=settings.extras,
    )
    async with server_parts(settings) as (parts, missing):
        for sentence in (*missing, *_exposed(settings)):
            tell(sentence)
        async with AsyncExitStack() as stack:
            try:
                server = await stack.enter_async_context(serve(options, parts))
            except OSError as error:
                raise errors.CannotConnect(
                    f"Cannot listen on {settings.host} port {settings.port}: {_why(error)}. "
                    "Choose another with --port or --host."
                ) from None
            try:
                print(server.url, flush=True)
            except OSError as error:
                raise errors.Failure(f"The URL cannot be written out: {_why(error)}.") from None
            await trio.sleep_forever()


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _exposed(settings: Settings) -> list[str]:
    """What to know before others than programs of this machine can connect."""
    if settings.server_key is not None or is_loopback(settings.host):
        return []
    return [
        f"Whoever reaches {settings.host} can use this server and all behind it, since no key is set. "
        "RTASSIST_SERVER_KEY sets one."
    ]


@asynccontextmanager
async def server_parts(
    settings: Settings, *, sound: bool = True
) -> AsyncIterator[tuple[Parts, tuple[str, ...]]]:
    """What the server hears, thinks and speaks with: HTTP endpoints where they are set, else ours. And for
    each that is not there a sentence that says what to install.

    Without `sound` nothing of ours is started that a written conversation has no use for.
    """
    async with (
        _distant_parts(settings) as (recogniser, thinker, synthesiser),
        offline_parts(recogniser=sound and not recogniser, synthesiser=sound and not synthesiser) as own,
    ):
        parts = Parts(
            thinker=thinker or own.thinker,
            recogniser=recogniser or own.recogniser,
            synthesiser=synthesiser or own.synthesiser,
        )
        yield parts, own.missing


@asynccontextmanager
async def _distant_parts(settings: Settings) -> AsyncIterator[DistantParts]:
    if not (settings.llm_url or settings.stt_url or settings.tts_url):
        yield None, None, None
        return
    from rtassist.server.endpoints import endpoint_parts  # and an HTTP client with it

    async with endpoint_parts(
        llm_url=settings.llm_url,
        llm_key=_revealed(settings.llm_key),
        llm_model=settings.llm_model,
        stt_url=settings.stt_url,
        stt_key=_revealed(settings.stt_key),
        stt_model=settings.stt_model,
        tts_url=settings.tts_url,
        tts_key=_revealed(settings.tts_key),
        tts_model=settings.tts_model,
    ) as parts:
        yield parts


def _revealed(key: Secret | None) -> str | None:
    return None if key is None else key.reveal()
