"""The key, the server at the other end, and what our own server lacks."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import trio

from rtassist.doctor.report import Check, first_sentence
from rtassist.errors import Failure, NoRealtime, Refused
from rtassist.settings import Settings


def key(settings: Settings) -> Check:
    """Never more of the key than where it lies."""
    source = settings.source("api_key")
    values = {"set": settings.api_key is not None, "source": str(source) if settings.api_key else None}
    if settings.embedded:
        asked = f" ({settings.source('offline')})" if settings.offline else ": no key and no URL is set"
        summary = f"Key: not needed, rtassist talks to its own server{asked}"
    elif settings.api_key is None:
        summary = f"Key: none is set, the server of {settings.source('url')} is asked without one"
    else:
        summary = f"Key: {source}"
    return Check(id="key", state="ok", summary=summary, values=values)


async def endpoint(
    where: str, opening: Callable[[], AbstractAsyncContextManager[object]], announce: Callable[[str], None]
) -> Check:
    """Opens a session and closes it. `opening` bounds its own time and raises errors.Failure."""
    announce(f"Connecting to {where}: a session is begun and ended, nothing is said in it.")
    began_s = trio.current_time()
    connected_ms: int | None = None
    try:
        async with opening():
            connected_ms = round((trio.current_time() - began_s) * 1000)
    except Failure as failure:
        what, cure = first_sentence(failure.message)
        return Check(
            id="endpoint",
            state="failed",
            summary=f"Server: {what}",
            cure=cure or _cure(failure),
            values={"host": where, "connected_ms": None},
        )
    return Check(
        id="endpoint",
        state="ok",
        summary=f"Server: {where} began a session within {connected_ms} ms",
        values={"host": where, "connected_ms": connected_ms},
    )


def _cure(failure: Failure) -> str:
    if isinstance(failure, Refused):
        return "look at the key and the model that are set, and at the account."
    if isinstance(failure, NoRealtime):
        return "check --url or RTASSIST_URL."
    return "look at the network, and at the address in --url or RTASSIST_URL; or talk with --offline."


def not_connected(what: str) -> Check:
    return Check(id="endpoint", state="skipped", summary=f"Server: {what}")


def embedded(deaf: str, mute: str) -> Check:
    """`deaf`, `mute`: why our own server does not hear or speak, empty where it does."""
    values = {"hears": not deaf, "speaks": not mute}
    lacking = [sentence for sentence in (deaf, mute) if sentence]
    if not lacking:
        summary = "Own server: it hears and speaks, without a language model"
        return Check(id="embedded", state="ok", summary=summary, values=values)
    what, cure = zip(*map(first_sentence, lacking), strict=True)
    return Check(
        id="embedded",
        state="warning",
        summary=f"Own server: {' '.join(what)}",
        cure=" ".join(dict.fromkeys(filter(None, cure))),
        values=values,
    )
