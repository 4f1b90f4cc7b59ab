"""What goes wrong with sound servers: it is told in time, and the process lives."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.pulse import PrivatePulse, private_pulse

pytestmark = pytest.mark.sound

ROOT = Path(__file__).parents[2]
Fault = Callable[[PrivatePulse], object]


class Child:
    """`tests.audio.duplex` in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def reports(self, until: Callable[[dict[str, Any]], bool], within_s: float) -> list[dict[str, Any]]:
        """What it says up to a certain report; fails when that does not come in time."""
        assert self.process.stdout is not None
        timer = threading.Timer(within_s, self.process.kill)
        timer.start()
        try:
            said = []
            for line in self.process.stdout:
                said.append(json.loads(line))
                if until(said[-1]):
                    return said
        finally:
            timer.cancel()
        raise AssertionError(f"it ended or was too late, having said {said}")

    def wait_for(self, event: str, *kinds: str, within_s: float) -> dict[str, dict[str, Any]]:
        waiting = set(kinds)

        def is_last(said: dict[str, Any]) -> bool:
            if said["event"] == event:
                waiting.discard(said["kind"])
            return not waiting

        said = self.reports(is_last, within_s)
        return {s["kind"]: s for s in said if s["event"] == event}


@contextmanager
def talking(pulse: PrivatePulse, *options: str) -> Iterator[Child]:
    command = [sys.executable, *options, "-m", "tests.audio.duplex"]
    with subprocess.Popen(
        command,
        env=pulse.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            child = Child(process)
            child.wait_for("running", "microphone", "speaker", within_s=20)
            yield child
            out, err = process.communicate("stop\n", timeout=20)
            assert process.returncode == 0, err
            assert err == ""
            if out:
                ended = json.loads(out.splitlines()[-1])
                assert (ended["event"], ended["what"]) == ("ended", [])
        finally:
            process.kill()


def kill(pulse: PrivatePulse) -> None:
    pulse.kill()


def freeze(pulse: PrivatePulse) -> None:
    pulse.freeze()


def suspend(pulse: PrivatePulse) -> None:
    pulse.pactl("suspend-source", "mic", "1")
    pulse.pactl("suspend-sink", "spk", "1")


def unplug(pulse: PrivatePulse) -> None:
    pulse.unload("mic")
    pulse.unload("spk", "micline")


@pytest.mark.parametrize(
    ("fault", "options", "within_s"),
    [
        pytest.param(kill, [], 0.5, id="kill"),
        pytest.param(kill, ["-O"], 0.5, id="kill, without asserts"),
        pytest.param(unplug, [], 0.5, id="unplug"),
        pytest.param(suspend, [], 2.0, id="suspend"),
        pytest.param(freeze, [], 2.0, id="freeze"),
    ],
)
def test_a_lost_device_is_told_in_time_and_the_process_lives(
    fault: Fault, options: list[str], within_s: float
) -> None:
    with private_pulse() as pulse, talking(pulse, *options) as child:
        fault(pulse)
        since_s = time.monotonic()
        lost = child.wait_for("lost", "microphone", "speaker", within_s=10)
    took_s = max(said["at"] for said in lost.values()) - since_s
    assert took_s < within_s + 0.5  # slack for a machine that is busy with other things


def test_devices_are_opened_again_when_a_server_that_stood_still_goes_on() -> None:
    with private_pulse() as pulse, talking(pulse) as child:
        pulse.freeze()
        child.wait_for("lost", "microphone", "speaker", within_s=10)
        pulse.thaw()
        opened = child.wait_for("opened", "microphone", "speaker", within_s=10)
        assert opened["microphone"]["what"] == "mic"
        assert opened["speaker"]["what"] == "spk"


def test_a_microphone_that_is_unplugged_is_not_replaced_by_the_speaker_s_monitor() -> None:
    with private_pulse() as pulse, talking(pulse) as child:
        pulse.unload("mic")
        lost = child.wait_for("lost", "microphone", within_s=5)
        assert lost["microphone"]["what"].startswith("the microphone Remapped")
        gone = child.wait_for("unavailable", "microphone", within_s=5)
        assert gone["microphone"]["what"].startswith(
            "This machine has no microphone. There is:\n  0  Monitor"
        )


LIST_DEVICES = """
import os, time, trio
from rtassist.audio import SoundUnavailable
from rtassist.audio.microphone import devices
def threads():
    return len(os.listdir("/proc/self/task"))
async def main():
    first = 1000
    for n in range(4):
        if n == 1:
            first = threads()
        began_s = time.monotonic()
        try:
            print(len(await devices()))
        except SoundUnavailable as unavailable:
            print(unavailable.message.split(".")[0], time.monotonic() - began_s < 5)
    give_up_s = time.monotonic() + 5
    while threads() > first and time.monotonic() < give_up_s:
        await trio.sleep(0.01)  # a thread has told its result and is about to end
    print(threads() <= first)
trio.run(main)
"""


def listing(environment: dict[str, str], *options: str) -> list[str]:
    """What a program without arguments says in four tries, and whether the last three left no thread."""
    done = subprocess.run(
        [sys.executable, *options, "-c", LIST_DEVICES],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("options", [[], ["-O"]], ids=["plain", "optimised"])
def test_without_a_server_it_is_said_and_nothing_is_left_behind(options: list[str], tmp_path: Path) -> None:
    with private_pulse() as pulse:
        environment = pulse.environment
    environment["PULSE_SERVER"] = f"unix:{tmp_path}/nobody"
    assert listing(environment, *options) == ["No sound server answers True"] * 4 + ["True"]


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with private_pulse() as pulse:
        environment = pulse.environment
    environment["PULSE_SERVER"] = f"unix:{tmp_path}/mute"
    program = LIST_DEVICES.replace("range(4)", "range(1)")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(f"{tmp_path}/mute")
        mute.listen()
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=25,
        )
        assert (
            time.monotonic() - began_s < 20
        )  # SoundCard's own import takes 30 s; the exit waits for nothing
    assert done.stdout == "The sound system cannot be opened: the sound system does not answer True\nTrue\n"


def test_a_program_without_arguments_and_another_server_later() -> None:
    """Under `python -c` SoundCard alone raises IndexError; and it stays with a server that is gone."""
    program = """
import trio
from rtassist.audio.microphone import devices
from tests.pulse import private_pulse
for _ in range(2):
    with private_pulse():
        print(len(trio.run(devices)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("5\n5\n", "")


def test_an_exit_while_devices_are_being_opened_is_clean() -> None:
    """Cut off while it held libpulse's lock, a thread made the process abort in 17 of 24 exits."""
    program = """
import sys, trio
from rtassist.audio.microphone import devices, open_device_microphone
from rtassist.audio.speaker import open_device_speaker
async def stay(opening):
    async with opening:
        await trio.sleep_forever()
async def main():
    await devices()
    with trio.move_on_after(float(sys.argv[1])):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(stay, open_device_microphone())
                nursery.start_soon(stay, open_device_speaker())
trio.run(main)
sys.exit(3)
"""
    with private_pulse() as pulse:
        for n in range(4):
            done = subprocess.run(
                [sys.executable, "-c", program, str(n * 0.003)],
                env=pulse.environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
            assert (done.returncode, done.stderr) == (3, "")


WRITES_AFTER_THE_END = """
import threading, sys, time
import numpy as np
from rtassist.audio import DeviceLost
from rtassist.audio.devices import choose
from rtassist.audio.soundcard_shim import sound_system

system = sound_system(threading.Event())
stream = system.open_speaker(choose(system.devices(), "speaker", None), 1440)
print("open", flush=True)
sys.stdin.readline()
give_up_s = time.monotonic() + 5
while time.monotonic() < give_up_s:
    try:
        stream.write(np.zeros(24, np.float32))
    except DeviceLost as lost:
        print(lost.reason)
        break
    time.sleep(0.005)
"""


def test_a_write_that_finds_the_server_dead_first_says_that_it_is() -> None:
    """Between asking for room and writing the server may die; the reason is not that the speaker is full."""
    with (
        private_pulse() as pulse,
        subprocess.Popen(
            [sys.executable, "-c", WRITES_AFTER_THE_END],
            env=pulse.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        pulse.kill()
        told, _ = process.communicate("\n", timeout=20)
    assert told == "the sound server is gone\n"
