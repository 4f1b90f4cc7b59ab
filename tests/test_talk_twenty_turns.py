"""Twenty spoken questions, one after the other, over virtual devices: nothing is lost on the way.

The conversation runs here and not as a process, so that the devices themselves can be asked what they missed.
"""

import gc
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from attrs import define, field

from rtassist.audio.levels import Gain
from rtassist.audio.microphone import open_device_microphone
from rtassist.audio.speaker import open_device_speaker
from rtassist.converse import converse
from rtassist.dialogue import effects, events
from rtassist.edges import Edges
from rtassist.embedded import embedded
from rtassist.link.profiles import address
from rtassist.link.websocket import connect
from rtassist.settings import Settings
from rtassist.terms import terms_for
from rtassist.tools.registry import Toolbox
from tests.pulse import PrivatePulse, private_pulse
from tests.talking import SPEECH, environment, talk

pytestmark = [pytest.mark.offline, pytest.mark.sound]

QUESTIONS = (
    *("what_time_is_it_slt", "what_time_is_it_rms", "what_is_seventeen_times_twenty_three_slt"),
    *("what_time_is_it_rms", "what_time_is_it_slt"),
)
"""Those with the shortest answers: devices go at their own speed."""
TURNS = 20
LATE_S = 60.0
STALLED_MS = 20
"""A machine that lets a process wait so long takes what the 60 ms of the loudspeaker's buffer are for."""
LATENESS = """
import time
print(flush=True)
while True:
    due_s = time.monotonic() + 0.005
    time.sleep(0.005)
    print((time.monotonic() - due_s) * 1000, flush=True)
"""


@define
class Heard:
    """What was said on both sides, and how much of the answers has sounded."""

    said: dict[str, str] = field(factory=dict)
    """By item: on a slow machine a line is over before its words come, and is told again."""
    answers: int = 0
    changed: trio.Event = field(factory=trio.Event)

    def note(self, now_us: int, what: events.Event | effects.Effect) -> None:
        self.answers += isinstance(what, events.PlaybackEnded)
        self.change()

    def show(self, what: effects.Shown) -> None:
        if isinstance(what, effects.LineEnded) and what.role == "user":
            self.said[what.item_id] = what.text
        if isinstance(what, effects.Notice):
            self.said[what.text] = what.text
        self.change()

    def change(self) -> None:
        self.changed.set()
        self.changed = trio.Event()

    async def until(self, turns: int) -> None:
        """So many questions are written down and their answers over."""
        with trio.move_on_after(LATE_S) as patience:
            while self.answers < turns or len(self.said) < turns or not all(self.said.values()):
                await self.changed.wait()
        assert not patience.cancelled_caught, f"{self} instead of {turns} turns"


def from_file(question: str, folder: Path) -> str:
    """How the same question is written down when it comes from its file."""
    arguments = ("--offline", "--mic", str(SPEECH / f"{question}.wav"), "--speaker", "none", "--fast")
    with talk(*arguments, folder=folder, environment=environment(folder)) as process:
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    (line,) = [line for line in out.decode().splitlines() if line.startswith("you: ")] or [err.decode()]
    return line.removeprefix("you: ")


@contextmanager
def machine_watched() -> Iterator[list[float]]:
    """How late a process beside this one was woken, in ms, each time; filled at the end."""
    late_ms: list[float] = []
    with subprocess.Popen([sys.executable, "-c", LATENESS], stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        watcher.stdout.readline()
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(watcher.stdout or ()))
        reader.start()
        try:
            yield late_ms
        finally:
            watcher.kill()
            reader.join()
            late_ms += [float(line) for line in lines if line.endswith("\n")]


@contextmanager
def frozen_heap() -> Iterator[None]:
    """The program's own heap is frozen when it begins to talk. The collector would take 0.1 s here, for what
    thousands of tests have left, and that is more than the loudspeaker's buffer holds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def ask(pulse: PrivatePulse, question: str) -> None:
    """Say it into the microphone, to its end."""
    command = ["paplay", "--device=micline", str(SPEECH / f"{question}.wav")]
    await trio.run_process(command, env=pulse.environment, stderr=subprocess.DEVNULL)


async def test_twenty_turns_lose_nothing_and_are_understood_as_from_files(tmp_path: Path) -> None:
    heard, settings = Heard(), Settings(offline=True)
    with private_pulse() as pulse, machine_watched() as late_ms, frozen_heap():
        began_s = time.monotonic()
        async with (
            embedded(settings) as own_url,
            open_device_microphone(gain=Gain()) as microphone,
            open_device_speaker() as speaker,
            connect(address(own_url, settings.model)) as link,
            trio.open_nursery() as nursery,
        ):
            terms = terms_for(
                settings, (), voiced=True, microphone=True, microphone_ends=False, keyboard=True, greeting=""
            )
            _, commands = trio.open_memory_channel[events.Event](math.inf)
            edges = Edges(
                link=link,
                microphone=microphone,
                speaker=speaker,
                commands=commands,
                tools=Toolbox(()),
                show=heard.show,
                note=heard.note,
            )
            nursery.start_soon(converse, terms, edges)
            for turn in range(TURNS):
                await ask(pulse, QUESTIONS[turn % len(QUESTIONS)])
                await heard.until(turn + 1)
            took_s = time.monotonic() - began_s
            handed, sounded = speaker.handed(), speaker.heard()
            nursery.cancel_scope.cancel()
    stalls, longest_ms = sum(late > STALLED_MS for late in late_ms), max(late_ms)
    print(f"{took_s:.0f} s, {speaker.underruns} underruns, {microphone.dropped_chunks} chunks dropped")
    print(f"the machine: {stalls} stalls, the longest {longest_ms:.0f} ms")
    as_from_files = {question: from_file(question, tmp_path) for question in set(QUESTIONS)}
    asked = [QUESTIONS[turn % len(QUESTIONS)] for turn in range(TURNS)]
    assert list(heard.said.values()) == [as_from_files[question] for question in asked]
    # What the machine took is forgiven, and nothing else.
    assert microphone.dropped_chunks == 0 or longest_ms > 500
    assert speaker.underruns <= stalls
    assert handed == sounded > 20 * 24_000, "every answer to its last sample"
