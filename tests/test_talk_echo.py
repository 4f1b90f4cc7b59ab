"""The assistant reads a story into its own microphone: a real sound server, the loudspeaker's monitor looped
into the microphone's line."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import trio
from attrs import frozen

from tests.pulse import RATE, PrivatePulse, private_pulse
from tests.talking import SPEECH, environment, talk, until_said

pytestmark = [pytest.mark.aec, pytest.mark.offline, pytest.mark.sound]

STORY_S = 20


@frozen
class Talking:
    process: "subprocess.Popen[bytes]"
    out: Path
    """What it prints; a pipe's reader could not be told that its time is over without losing a line."""

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    async def until_printed(self, words: str) -> str:
        with trio.fail_after(60):
            while words not in (printed := self.out.read_text("utf-8")):  # noqa: ASYNC110 (another process)
                await trio.sleep(0.05)
        return printed


@contextmanager
def talking(pulse: PrivatePulse, folder: Path, *arguments: str, python_path: str = "") -> Iterator[Talking]:
    """The program, beside a loudspeaker that its microphone hears, half as loud."""
    pulse.hear_itself(gain_db=-6)
    outside = environment(folder, PULSE_SERVER=pulse.server)
    outside["PYTHONPATH"] = f"{python_path}:{outside['PYTHONPATH']}".lstrip(":")
    with (folder / "out.txt").open("wb") as out:
        process = talk(
            *("--offline", *arguments),
            folder=folder,
            environment=outside,
            stdin=subprocess.PIPE,
            stdout=out.fileno(),
        )
        with process:
            try:
                yield Talking(process, folder / "out.txt")
            finally:
                process.kill()


async def listen_to_the_story(pulse: PrivatePulse, talking: Talking, seconds: float) -> str:
    """What it printed until then: its answer is printed when it ends, or is interrupted."""
    talking.type("read me a story")
    await talking.until_printed("you: read me a story")
    with pulse.recording() as recording, trio.fail_after(seconds + 20):
        while not recording.samples().any():  # noqa: ASYNC110 (another process sounds)
            await trio.sleep(0.05)
        await trio.sleep(seconds)
        if "assistant:" not in talking.out.read_text("utf-8"):
            # It pauses for less than a second; a busy machine may add some.
            sounded = recording.samples()
            last = int(np.flatnonzero(sounded)[-1])
            assert len(sounded) - last < 3 * RATE, f"it reads on, after {last / RATE:.1f} s as well"
    return talking.out.read_text("utf-8")


async def interrupt(pulse: PrivatePulse, talking: Talking) -> str:
    """Says it again, as a user does: on a busy machine the loudspeaker runs dry, and what was learnt of the
    echo is worth nothing for a second or two."""
    for _ in range(5):
        with pulse.speaking(SPEECH / "what_time_is_it_slt.wav"), trio.move_on_after(6):
            return await talking.until_printed("assistant:")
    raise AssertionError("it was not interrupted")


async def test_it_reads_on_for_twenty_seconds_and_a_user_interrupts_it(tmp_path: Path) -> None:
    with private_pulse() as pulse, talking(pulse, tmp_path, "--echo", "on") as it:
        await until_said(it.process.stderr, "Speak.")
        assert await listen_to_the_story(pulse, it, STORY_S) == "you: read me a story\n"
        told = await interrupt(pulse, it)
    assert "[interrupted; not heard:" in told


async def test_with_nothing_in_between_it_interrupts_itself(tmp_path: Path) -> None:
    """So that the test above is known to fail where nothing is cancelled."""
    with private_pulse() as pulse, talking(pulse, tmp_path, "--echo", "off") as it:
        await until_said(it.process.stderr, "Speak.")
        it.type("read me a story")
        told = await it.until_printed("assistant:")
    assert "[interrupted; not heard:" in told


async def test_where_no_canceller_can_be_loaded_it_does_not_listen_while_it_speaks(tmp_path: Path) -> None:
    (tmp_path / "without" / "livekit").mkdir(parents=True)
    (tmp_path / "without" / "livekit" / "__init__.py").write_text("raise ImportError('not here')")
    path = str(tmp_path / "without")
    with private_pulse() as pulse, talking(pulse, tmp_path, python_path=path) as it:
        await until_said(it.process.stderr, "you are not heard while the assistant speaks")
        assert await listen_to_the_story(pulse, it, 6) == "you: read me a story\n"
