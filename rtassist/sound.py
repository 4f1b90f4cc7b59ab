"""The microphone and the loudspeaker that the settings mean, or none, told in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeVar

from rtassist import errors
from rtassist.audio import Microphone, SoundUnavailable, Speaker
from rtassist.audio import microphone as microphones
from rtassist.audio import speaker as speakers
from rtassist.settings import Settings

T = TypeVar("T")
NONE = "none"


@asynccontextmanager
async def open_microphone(settings: Settings, tell: Callable[[str], None]) -> AsyncIterator[Microphone | None]:
    """What is to be heard; None where there is nothing, which is told unless it was asked for.

    Raises errors.SoundUnavailable when what was asked for by name cannot be had.
    """
    name = settings.mic
    if settings.text or name == NONE:
        yield None
        return
    opening = microphones.open_microphone(name, fast=settings.fast)
    async with _opened(opening, name, tell, "Type instead of speaking.") as microphone:
        yield microphone


@asynccontextmanager
async def open_speaker(settings: Settings, tell: Callable[[str], None]) -> AsyncIterator[Speaker | None]:
    """As `open_microphone`, for what the assistant says."""
    name = settings.speaker
    if settings.text or name == NONE:
        yield None
        return
    opening = speakers.open_speaker(name, fast=settings.fast)
    async with _opened(opening, name, tell, "Answers are written.") as speaker:
        yield speaker


@asynccontextmanager
async def _opened(
    opening: AbstractAsyncContextManager[T], name: str | None, tell: Callable[[str], None], instead: str
) -> AsyncIterator[T | None]:
    async with AsyncExitStack() as stack:
        device = None
        try:
            device = await stack.enter_async_context(opening)
        except SoundUnavailable as unavailable:
            if name is not None:
                raise errors.SoundUnavailable(unavailable.message) from None
            tell(f"{unavailable.message} {instead}")
        yield device
