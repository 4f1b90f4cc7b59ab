"""Ctrl-C leaves at once, wherever it comes: exit code 130, and nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

from tests.pulse import private_pulse
from tests.talking import environment, silence, speech, talk, until_said, until_sounded, write_wav
from tests.terminal.emulator import terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups and terminals are of Unix")

AT_ONCE_S = 2.0
"""The program needs a tenth of this; the rest is for a machine that has much else to do."""


def beside_the_recording(folder: Path, told: str) -> str:
    """What was told besides the recording in `folder`, which was closed in order."""
    (recording,) = folder.glob("*.jsonl")
    assert b'"end":' in recording.read_bytes().splitlines()[-1]
    assert f"rtassist replay {recording}\n" in told
    return "".join(line for line in told.splitlines(keepends=True) if str(recording) not in line)


async def ended(process: "subprocess.Popen[bytes]", recorded_in: Path | None = None) -> tuple[str, str]:
    """Wait for the end that SIGINT makes; what it wrote."""
    began_s = time.monotonic()
    with trio.move_on_after(AT_ONCE_S) as patience:
        await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
    took_ms = (time.monotonic() - began_s) * 1000
    assert not patience.cancelled_caught, "it is still there"
    print(f"gone after {took_ms:.0f} ms")
    assert process.returncode == 130
    with pytest.raises(ProcessLookupError):  # children are in its group, dead ones that nobody awaited, too
        os.killpg(process.pid, 0)
    out, err = (part.decode() if part else "" for part in process.communicate(timeout=5))
    assert "Traceback" not in err
    assert out == "" or out.endswith("\n")
    if recorded_in is not None:
        err = beside_the_recording(recorded_in, err)
    return out, err


async def test_while_connecting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"ws://127.0.0.1:{mute.getsockname()[1]}/v1/realtime"
        with talk(
            *("--url", url, "--mic", "none", "--speaker", "none"),
            folder=tmp_path,
            environment=environment(tmp_path),
            stdin=subprocess.PIPE,
        ) as process:
            try:
                with trio.fail_after(60):
                    caller, _ = await trio.to_thread.run_sync(mute.accept, abandon_on_cancel=True)
                with caller:
                    os.killpg(process.pid, signal.SIGINT)
                    assert await ended(process) == ("", "")
            finally:
                process.kill()


@pytest.mark.offline
async def test_while_it_listens(tmp_path: Path) -> None:
    with talk(
        *("--offline", "--mic", "-", "--speaker", "out.wav"),
        folder=tmp_path,
        environment=environment(tmp_path, RTASSIST_RECORD=str(tmp_path)),
        stdin=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdin is not None
            # More than a pipe holds: it is all written when some of it has been heard.
            with trio.fail_after(60):
                await trio.to_thread.run_sync(process.stdin.write, bytes(100_000), abandon_on_cancel=True)
            os.killpg(process.pid, signal.SIGINT)
            assert await ended(process, tmp_path) == ("", "")
        finally:
            process.kill()


@pytest.mark.offline
async def test_while_it_speaks_in_a_terminal(tmp_path: Path) -> None:
    mic = write_wav(tmp_path / "mic.wav", speech("read_me_a_story_slt"), silence(60))
    with (
        terminal() as emulator,
        talk(
            *("--offline", "--mic", str(mic), "--speaker", "out.wav"),
            folder=tmp_path,
            environment=environment(tmp_path, RTASSIST_RECORD=str(tmp_path), TERM="xterm"),
            stdin=emulator.inside,
            stdout=emulator.inside,
        ) as process,
    ):
        try:
            await emulator.until_shown("Here is a long")
            await until_sounded(tmp_path / "out.wav", 1.5)
            emulator.type(b"\x03")
            await ended(process, tmp_path)
            emulator.read()
        finally:
            process.kill()
        assert "Here is a long" in emulator.lines()[-1]
        assert emulator.screen.cursor.x == 0, "the shell's prompt begins a line"


async def test_while_a_timer_is_set(tmp_path: Path) -> None:
    with talk(
        *("--offline", "--text"),
        folder=tmp_path,
        environment=environment(tmp_path, RTASSIST_RECORD=str(tmp_path)),
        stdin=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(b"set a timer for one minute\n")
            process.stdin.flush()
            await until_said(process.stdout, "The timer is set for 1 minute.")
            os.killpg(process.pid, signal.SIGINT)
            said, told = await ended(process, tmp_path)
            assert said == ""
            assert [line[:11] for line in told.splitlines()] == ["→ set_timer", "← set_timer"]
        finally:
            process.kill()


@pytest.mark.sound
async def test_with_devices_open(tmp_path: Path) -> None:
    with (
        private_pulse() as pulse,
        talk(
            "--offline",
            folder=tmp_path,
            environment=environment(tmp_path, PULSE_SERVER=pulse.server, RTASSIST_RECORD=str(tmp_path)),
            stdin=subprocess.PIPE,
        ) as process,
    ):
        try:
            await until_said(process.stderr, "Speak.")
            os.killpg(process.pid, signal.SIGINT)
            assert await ended(process, tmp_path) == ("", "")
            assert "rtassist" not in pulse.pactl("list", "clients")
        finally:
            process.kill()
