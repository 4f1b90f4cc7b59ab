"""Speech recognition by pocketsphinx, offline: in child processes, while the user speaks, English only.

It knows the stand-in's sentences and no others. Given a grammar, a recogniser turns any sentence into one of
it, so each utterance is decoded freely as well, and a sentence counts only if both agree.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import trio

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.pcm import Resampler, to_float, to_pcm16
from rtassist.server.child import Child, open_child
from rtassist.server.parts import PartFailed, Transcript
from rtassist.server.stand_in.phrases import understand

RATE = 16_000
# 150 MB each. A second process is started only while the first is busy; more would fight for the processor,
# which one utterance keeps half busy as long as it lasts.
_PROCESSES = 2
_LONGEST_QUEUE_S = 20.0
_LEAST_FREE_WORDS = 3
_OTHER = "Name a transcription server in RTASSIST_STT_URL instead."


def recogniser_available() -> str:
    """Empty, or a sentence that says what is missing and what to install. Loads nothing."""
    if importlib.util.find_spec("pocketsphinx") is None:
        return (
            "Hearing words needs the package pocketsphinx, which is not installed. Install it with: "
            "pip install 'rtassist[offline]' (it is made for Python up to 3.13). " + _OTHER
        )
    return ""


@asynccontextmanager
async def open_recogniser(processes: int = _PROCESSES) -> AsyncIterator[PocketsphinxRecogniser]:
    """Starts nothing yet. The child processes end when this is left."""
    async with AsyncExitStack() as stack:
        children = [
            await stack.enter_async_context(
                open_child("rtassist.server.recognition_child", what="Speech recognition", code="stt")
            )
            for _ in range(processes)
        ]
        yield PocketsphinxRecogniser(children)


class PocketsphinxRecogniser:
    """A `parts.Recogniser`. As many utterances at once as there are child processes; others wait their turn,
    unheard until then, and fail with `stt_busy` when it does not come."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = tuple(children)
        self._busy = [False] * len(children)
        self._turn = trio.Semaphore(len(children))

    async def warm(self) -> None:
        """Start the first child process before it is needed. Raises PartFailed."""
        await self._children[0].warm()

    async def transcribe(
        self, chunks: trio.MemoryReceiveChannel[bytes], *, language: str | None
    ) -> Transcript:
        """See `parts.Recogniser.transcribe`."""
        if language and language.lower().replace("_", "-").partition("-")[0] != "en":
            raise PartFailed(
                f"The offline recogniser knows English only, and the language is set to {language!r}. "
                f"Set it to 'en'. {_OTHER}",
                "stt_language_unsupported",
            )
        async with self._child() as child, child.request() as request:
            resampler = Resampler(SAMPLE_RATE, RATE)
            async for chunk in chunks:
                if sound := to_pcm16(resampler.push(to_float(chunk))):
                    await request.send(sound)
            await request.send(to_pcm16(resampler.finish()))
            words = json.loads(await request.result())
        return judged(heard=words["heard"], known=words["known"])

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[Child]:
        with trio.move_on_after(_LONGEST_QUEUE_S) as waiting:
            await self._turn.acquire()
        if waiting.cancelled_caught:
            raise PartFailed(
                f"Speech recognition is busy: {len(self._children)} others have been speaking for "
                f"{_LONGEST_QUEUE_S:g} s. Try again.",
                "stt_busy",
            )
        # The first that is free: one user alone keeps a single process.
        mine = self._busy.index(False)
        self._busy[mine] = True
        try:
            yield self._children[mine]
        finally:
            self._busy[mine] = False
            self._turn.release()


def judged(*, heard: str, known: str) -> Transcript:
    """`heard` freely; `known` is the known sentence that it certainly was, or empty."""
    if known:
        return Transcript(text=known, understood=True)
    # Words that were heard freely and make up a sentence are no accident, unless they are very few.
    sentence = len(heard.split()) >= _LEAST_FREE_WORDS and understand(heard) is not None
    return Transcript(text=heard, understood=sentence)
