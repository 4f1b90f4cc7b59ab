"""What hears, thinks and speaks by a script: with the cancel points of the real parts, and none of their
wits."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

import trio
from attrs import define, field

from rtassist.server.connection import Parts
from rtassist.server.hearing import EnergyEar
from rtassist.server.parts import Ask, Call, Say, Transcript
from tests.server.sounds import tone


@define
class ScriptedRecogniser:
    """Gives the next line of the script for each utterance, after the last of its sound. A line that is an
    exception is raised; None is never answered."""

    script: list[str | Transcript | Exception | None] = field(factory=list)
    heard: list[bytes] = field(factory=list)
    languages: list[str | None] = field(factory=list)

    async def transcribe(
        self, chunks: trio.MemoryReceiveChannel[bytes], *, language: str | None
    ) -> Transcript:
        self.languages.append(language)
        pcm = b"".join([chunk async for chunk in chunks])
        self.heard.append(pcm)
        line = self.script.pop(0)
        if line is None:
            await trio.sleep_forever()
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, Transcript) else Transcript(text=str(line), understood=True)


@define
class ScriptedThinker:
    """Gives the next answer of the script, piece by piece. A piece that is an exception is raised, a number
    is a wait in seconds, None is for ever."""

    script: list[Iterable[Say | Call | Exception | float | None]] = field(factory=list)
    asked: list[Ask] = field(factory=list)
    abandoned: int = 0

    async def answer(self, ask: Ask) -> AsyncIterator[Say | Call]:
        self.asked.append(ask)
        whole = False
        try:
            for piece in self.script.pop(0):
                await trio.lowlevel.checkpoint()
                if piece is None:
                    await trio.sleep_forever()
                elif isinstance(piece, Exception):
                    raise piece
                elif isinstance(piece, Say | Call):
                    yield piece
                else:
                    await trio.sleep(piece)
            whole = True
        finally:
            self.abandoned += not whole


@define
class ToneSynthesiser:
    """Each character is 60 ms of tone, in chunks of 20 ms. A text of `trouble` is raised instead."""

    trouble: dict[str, Exception] = field(factory=dict)
    spoken: list[str] = field(factory=list)

    async def speak(self, text: str, *, voice: str, speed: float) -> AsyncIterator[bytes]:
        if text in self.trouble:
            raise self.trouble[text]
        self.spoken.append(text)
        pcm = tone(60 * len(text))
        for start in range(0, len(pcm), 960):
            await trio.lowlevel.checkpoint()
            yield pcm[start : start + 960]


@define
class Script:
    """The three, and all that a server needs of them."""

    recogniser: ScriptedRecogniser = field(factory=ScriptedRecogniser)
    thinker: ScriptedThinker = field(factory=ScriptedThinker)
    synthesiser: ToneSynthesiser = field(factory=ToneSynthesiser)

    @property
    def parts(self) -> Parts:
        return Parts(
            recogniser=self.recogniser,
            thinker=self.thinker,
            synthesiser=self.synthesiser,
            open_ear=EnergyEar,
            now=lambda: datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        )
