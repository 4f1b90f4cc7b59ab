"""Memory and processor are those of the process that is looked at, and what grows or slows is seen."""

import subprocess
import sys

import pytest

from bench.endurance import end_beside_beginning, slope, turn_frames, turns
from bench.program import cpu_s, family, memory_mb, stop
from rtassist.protocol import ResponseOutputAudioDelta, decode

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")


def working(script: str) -> "subprocess.Popen[bytes]":
    """A process that has run `script` and waits."""
    command = [sys.executable, "-c", f"{script}\nprint(flush=True)\nimport time\ntime.sleep(60)"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@linux
def test_memory_is_what_a_process_holds() -> None:
    little, much = working(""), working("held = b'x' * 60_000_000")
    try:
        assert memory_mb(much.pid) - memory_mb(little.pid) > 50
    finally:
        stop(little)
        stop(much)


@linux
def test_the_processors_time_is_counted_with_children() -> None:
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    process = working(f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'input()'])\n{busy}")
    try:
        assert cpu_s([process.pid]) >= 0.45
        assert len(family(process.pid)) == 2
    finally:
        for pid in family(process.pid)[1:]:
            subprocess.run(["kill", str(pid)], check=True)
        stop(process)


def test_what_grows_and_what_slows_is_seen() -> None:
    assert slope([5.0, 5.0, 5.0]) == 0
    assert slope([5.0, 5.5, 6.0]) == pytest.approx(0.5)
    assert end_beside_beginning([1.0] * 10) == 1
    assert end_beside_beginning([1.0] * 5 + [2.0] * 5) == 2


def test_ten_thousand_turns_are_an_hour_of_sound() -> None:
    made = turn_frames()
    first, second = next(made), next(made)
    events = [decode(frame) for frame in first]
    sound = sum(len(event.delta) for event in events if isinstance(event, ResponseOutputAudioDelta))
    assert 10_000 * sound / 48_000 > 3600
    assert not set(first) & set(second)


@linux
async def test_turns_reach_the_program() -> None:
    taken = await turns(60, ("--speaker", "none", "--fast"))
    assert len(taken["memory"]) == 60
    assert all(20 < mb < 500 for mb in taken["memory"])
    assert len(taken["events as fast as they come"]) == 60
