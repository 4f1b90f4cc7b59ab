"""What the program says by itself, in a voice of its own: offline, so that it costs nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing


async def announcer(text: str) -> AsyncGenerator[bytes, None]:
    """`text` as speech: PCM16, mono, 24 kHz, in pieces. Nothing where the extra `offline` is not installed,
    or when the synthesiser fails: what is said has been shown as well.
    """
    from rtassist.server.parts import PartFailed
    from rtassist.server.synthesis import DEFAULT_VOICE, open_synthesiser, synthesiser_available

    if synthesiser_available():
        return
    try:
        async with (
            open_synthesiser() as synthesiser,
            aclosing(synthesiser.speak(text, voice=DEFAULT_VOICE, speed=1.0)) as chunks,
        ):
            async for pcm in chunks:
                yield pcm
    except PartFailed:
        return
