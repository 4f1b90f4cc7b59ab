"""Speech from text by espeak-ng, offline: its library runs in a child process and its sound comes as it is
made."""

from __future__ import annotations

import importlib.util
import platform
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from rtassist.audio import SAMPLE_RATE
from rtassist.audio.pcm import Resampler, Samples, to_float, to_pcm16
from rtassist.server.child import Child, open_child

DEFAULT_VOICE = "alloy"
VOICES = {
    "alloy": "en-us",
    "ash": "en-us+m3",
    "ballad": "en-gb-x-rp",
    "cedar": "en-us+david",
    "coral": "en-us+f3",
    "echo": "en-us+m1",
    "marin": "en-gb-x-rp+f2",
    "sage": "en-us+f4",
    "shimmer": "en-us+Annie",
    "verse": "en-us+m4",
}
"""OpenAI's voices in espeak-ng's terms. Only variants that stay 1 dB below full scale: "en-us+linda" and
others clip. What a client names is never given to the library as it is, which would open it as a file."""

RATE_HZ = 22_050
MAX_PIECE_CHARACTERS = 300
"""Longer text is made in pieces, each when the one before has been taken: nothing long is in memory, several
who speak take turns, and what is abandoned costs little."""

_WORDS_PER_MINUTE = 175  # espeak-ng's own, for speed 1
_SLOWEST_WORDS_PER_MINUTE = 80  # espeak-ng goes no lower: 2.03 times as long
# Measured at 80 words a minute: a unit of word gap adds this much of the duration at speed 1.
_LONGER_PER_GAP = 0.094

_SILENCE = np.float32(100 / 32768)
_LEAD_SAMPLES = RATE_HZ // 50
"""20 ms of silence before the first sound; dots or a dash at the beginning would make it up to half a
second."""

_PAUSED_AFTER = ".!?…:;,"
# Heard as "asterisk asterisk bold".
_EMPHASIS = re.compile(r"\*\*|__|`")
_SENTENCE_END = re.compile(r"[.!?…]['\"”’)]*\s+|\n\n")


def synthesiser_available() -> str:
    """Empty, or a sentence that says what is missing and what to install. Loads nothing."""
    spec = importlib.util.find_spec("espeakng_loader")
    if spec is None or spec.origin is None:
        return (
            "Speech needs the package espeakng-loader, which is not installed. Install it with: "
            "pip install 'rtassist[offline]', or name a speech server in RTASSIST_TTS_URL."
        )
    if not any(Path(spec.origin).parent.glob("*espeak-ng*.[ds]*")):
        return (
            "The package espeakng-loader brings no speech library for this machine "
            f"({platform.system()}, {platform.machine()}). Name a speech server in RTASSIST_TTS_URL instead."
        )
    return ""


@asynccontextmanager
async def open_synthesiser() -> AsyncIterator[EspeakSynthesiser]:
    """Starts nothing yet. The child process ends when this is left."""
    async with open_child(
        "rtassist.server.synthesis_child", what="Speech synthesis", code="tts", answer_deadline_s=10
    ) as child:
        yield EspeakSynthesiser(child)


class EspeakSynthesiser:
    """A `parts.Synthesiser`. Several may speak at once; the child makes one piece of text at a time."""

    def __init__(self, child: Child) -> None:
        self._child = child

    async def warm(self) -> None:
        """Start the child process before it is needed. Raises PartFailed."""
        await self._child.warm()

    async def speak(self, text: str, *, voice: str, speed: float) -> AsyncGenerator[bytes, None]:
        """See `parts.Synthesiser.speak`; chunks are of up to 60 ms."""
        resampler = Resampler(RATE_HZ, SAMPLE_RATE)
        spoken = False
        for piece in pieces(speakable(text)):
            async with self._child.request(request_for(piece, voice, speed)) as request:
                request.end()
                started = False
                async for chunk in request:
                    samples = to_float(chunk)
                    if not started:
                        samples = without_lead(samples)
                        started = len(samples) > 0
                    if started and (pcm := to_pcm16(resampler.push(samples))):
                        yield pcm
                spoken = spoken or started
        if spoken and (pcm := to_pcm16(resampler.finish())):
            yield pcm


def request_for(piece: str, voice: str, speed: float) -> bytes:
    """What the child is sent; `speed` outside of 0.25 to 1.5 counts as the nearest of these."""
    speed = min(1.5, max(0.25, speed))
    longer = 1 / speed - _WORDS_PER_MINUTE / _SLOWEST_WORDS_PER_MINUTE
    header = (
        VOICES.get(voice, VOICES[DEFAULT_VOICE]),
        str(max(_SLOWEST_WORDS_PER_MINUTE, round(_WORDS_PER_MINUTE * speed))),
        str(max(0, round(longer / _LONGER_PER_GAP))),
        str(int(piece.rstrip("'\"”’)").endswith(tuple(_PAUSED_AFTER)))),
    )
    return "\n".join([*header, piece]).encode()


def speakable(text: str) -> str:
    """`text` as it can be given to espeak-ng: no control characters (it obeys some), no halves of surrogate
    pairs, no marks of emphasis, blank lines as the only line breaks; empty if it has nothing to say."""
    kept = _EMPHASIS.sub("", "".join(_kept(character) for character in text))
    if not any(unicodedata.category(character)[0] in "LNS" for character in kept):
        return ""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", kept))
    return "\n\n".join(filter(None, paragraphs))


def _kept(character: str) -> str:
    if character == "\n":
        return character
    category = unicodedata.category(character)
    # Invisible characters inside words, such as soft hyphens, are not to cut these in two.
    return " " if category == "Cc" else "" if category[0] == "C" else character


def pieces(text: str) -> Iterator[str]:
    """`text` in parts of at most MAX_PIECE_CHARACTERS, cut after a sentence if possible, else between words,
    else anywhere."""
    while len(text) > MAX_PIECE_CHARACTERS:
        ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, MAX_PIECE_CHARACTERS + 1)]
        end = ends[-1] if ends else text.rfind(" ", 1, MAX_PIECE_CHARACTERS) + 1
        cut = end or MAX_PIECE_CHARACTERS
        yield text[:cut].strip()
        text = text[cut:].lstrip()
    if text:
        yield text


def without_lead(samples: Samples) -> Samples:
    """The beginning of speech with at most 20 ms of silence; nothing as long as there is no sound."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    return samples[max(0, int(loud[0]) - _LEAD_SAMPLES) :] if len(loud) else samples[:0]
