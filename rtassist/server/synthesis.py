"""Speech from text by espeak-ng, offline: its library runs in a child process and its sound comes as it is
made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager


def synthesiser_available() -> str:
    """Empty, or a sentence that says what is missing and what to install."""
    raise NotImplementedError


class EspeakSynthesiser:
    """A `parts.Synthesiser`. Several may speak at once; the child makes one piece of text at a time."""

    async def warm(self) -> None:
        """Start the child process before it is needed. Raises PartFailed."""
        raise NotImplementedError

    def speak(self, text: str, *, voice: str, speed: float) -> AsyncGenerator[bytes, None]:
        """See `parts.Synthesiser.speak`."""
        raise NotImplementedError


@asynccontextmanager
async def open_synthesiser() -> AsyncIterator[EspeakSynthesiser]:
    """The child process ends when this is left."""
    raise NotImplementedError
    yield EspeakSynthesiser()
