"""Conversations that are killed: `python -m tests.sessions.killed FOLDER HOW_MANY [LONG]`.

Each is the real ring with the real recorder, on a scripted server, a microphone and a clock for a speaker,
in a process of its own (a fork: nothing is imported anew), and ends by SIGKILL after a random while of up to
300 ms. The first LONG of them live for 1.5 s, and leave in NAME.noted what was noted a second before the end.
"""

from __future__ import annotations

import math
import mmap
import os
import random
import signal
import struct
import sys
import time
from contextlib import closing
from pathlib import Path

import attrs
import trio

from rtassist.audio.clocked import ClockedSpeaker
from rtassist.converse import converse
from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect
from rtassist.dialogue.terms import Terms
from rtassist.edges import Edges
from rtassist.protocol import Session, SessionCreated
from rtassist.sessions.recorder import Recorder
from tests.ring import NoTools, ScriptedLink, answer, delta, speech_started

TERMS = Terms(session=Session(type="realtime"))
NOISE = random.Random(1).randbytes(2 * 24_000)
"""What the microphone hears and the assistant says: a second of it, again and again."""
CHUNK = 960
VOICE_BYTES = 20 * CHUNK
"""What the server sends of it for each answer, 40 ms at a time."""


class Microphone:
    """A second of noise, heard again and again, three times as fast as it sounds."""

    live = True
    clips = False
    urgent = False

    def __init__(self) -> None:
        self.chunks = 0

    async def read(self) -> bytes:
        await trio.sleep(0.02 / 3)
        pcm = NOISE[self.chunks * CHUNK % len(NOISE) :][:CHUNK]
        self.chunks += 1
        return pcm


async def hold(path: Path, noted: mmap.mmap) -> None:
    link = ScriptedLink()
    _, commands = trio.open_memory_channel[events.Event](math.inf)
    speaker = ClockedSpeaker(lambda position, pcm: None)
    with closing(Recorder(path, about={"id": path.stem}, warn=print)) as recording:
        recording.begin(TERMS)
        heard = 0

        def note(now_us: int, what: events.Event | Effect) -> None:
            nonlocal heard
            recording.note(now_us, what)
            if isinstance(what, events.MicHeard):
                heard += what.samples
                struct.pack_into("<q", noted, 0, heard)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk, link)
            edges = Edges(
                link=link,
                microphone=Microphone(),
                speaker=speaker,
                commands=commands,
                tools=NoTools(),
                show=lambda shown: None,
                note=note,
            )
            await converse(TERMS, edges)


async def talk(link: ScriptedLink) -> None:
    link.say(SessionCreated(event_id="e", session=Session(type="realtime")))
    for number in range(1_000_000):
        response, item = f"R{number}", f"A{number}"
        for event in answer(response, item, seconds=0, done=False, words="one two three"):
            link.say(event)
        for at in range(0, VOICE_BYTES, 2 * CHUNK):
            pcm = NOISE[at : at + 2 * CHUNK]
            link.say(attrs.evolve(delta(response, item, 1), delta=pcm))
            await trio.sleep(0.005)
        link.say(speech_started(f"U{number}"))
        await trio.sleep(0.01)


def kill_many(folder: Path, how_many: int, long: int) -> None:
    chance = random.Random(os.getpid())
    for number in range(how_many):
        path = folder / f"{number}.jsonl"
        noted = mmap.mmap(-1, 8)
        child = os.fork()
        if child == 0:
            trio.run(hold, path, noted)
            os._exit(1)  # nobody ends it but the signal
        if number < long:
            time.sleep(0.5)
            before = struct.unpack_from("<q", noted)[0]
            time.sleep(1.0)
            path.with_suffix(".noted").write_text(str(before))
        else:
            time.sleep(chance.uniform(0, 0.3))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WTERMSIG(status) != signal.SIGKILL:
            raise SystemExit(f"conversation {number} ended by itself")


if __name__ == "__main__":
    kill_many(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
