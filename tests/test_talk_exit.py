"""Ctrl-C leaves at once, wherever it comes: exit code 130, and nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

from tests.link.servers import SESSION, websocket_server
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


async def ended(
    process: "subprocess.Popen[bytes]", recorded_in: Path | None = None, number: int = signal.SIGINT
) -> tuple[str, str]:
    """Wait for the end that a signal makes; what it wrote."""
    began_s = time.monotonic()
    with trio.move_on_after(AT_ONCE_S) as patience:
        await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
    took_ms = (time.monotonic() - began_s) * 1000
    assert not patience.cancelled_caught, "it is still there"
    print(f"gone after {took_ms:.0f} ms")
    assert process.returncode == 128 + number
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


SLOW = """
import time
import trio

def wait_in_a_thread() -> str:
    "Wait."
    print("it waits", flush=True)
    time.sleep(60)
    return "done"

async def wait_in_a_task() -> str:
    "Wait."
    print("it waits", flush=True)
    await trio.sleep(60)
    return "done"
"""


@pytest.mark.parametrize("tool", ["wait_in_a_thread", "wait_in_a_task"])
async def test_while_a_tool_runs(tool: str, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    with talk(
        *("--offline", "--text", "--tools", "slow.py"),
        folder=tmp_path,
        environment=environment(tmp_path, RTASSIST_RECORD=str(tmp_path)),
        stdin=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(f"use {tool}\n".encode())
            process.stdin.flush()
            await until_said(process.stderr, "it waits")
            os.killpg(process.pid, signal.SIGINT)
            assert await ended(process, tmp_path) == ("", "")
        finally:
            process.kill()


def realtime(
    *, lasts_s: int | None = None, drops: bool = False
) -> Callable[[WebSocketConnection], Awaitable[None]]:
    """A server that accepts the settings, and then listens, or fails."""

    async def serve(socket: WebSocketConnection) -> None:
        ends = f',"expires_at":{int(time.time()) + lasts_s}' if lasts_s else ""
        await socket.send_message(SESSION.replace('"sess_1"', f'"sess_1"{ends}'))
        while "session.update" not in await socket.get_message():
            pass
        await socket.send_message(SESSION.replace("created", "updated"))
        if drops:
            await socket.aclose(1011)
        while True:
            await socket.get_message()

    return serve


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda it: it.name)
async def test_while_it_waits_to_connect_again(number: signal.Signals, tmp_path: Path) -> None:
    async with websocket_server(realtime(drops=True)) as port:
        with talk(
            *("--url", f"ws://127.0.0.1:{port}/", "--text"),
            folder=tmp_path,
            environment=environment(tmp_path, RTASSIST_RECORD=str(tmp_path)),
            stdin=subprocess.PIPE,
        ) as process:
            try:
                await until_said(process.stderr, "Trying again in 2 s")
                os.killpg(process.pid, number)
                assert await ended(process, tmp_path, number) == ("", "")
            finally:
                process.kill()


async def test_while_the_next_session_is_opened(tmp_path: Path) -> None:
    """The first connection begins a session of two seconds; the next one is taken and never answered."""
    taken = trio.Event()
    serve = realtime(lasts_s=3)

    async def first_only(request: WebSocketRequest) -> None:
        if taken.is_set():
            second.set()
            await trio.sleep_forever()
        taken.set()
        with suppress(ConnectionClosed):
            await serve(await request.accept())

    second = trio.Event()
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, first_only, "127.0.0.1", 0, None)
        with talk(
            *("--url", f"ws://127.0.0.1:{server.port}/", "--text"),
            folder=tmp_path,
            environment=environment(tmp_path, RTASSIST_RECORD=str(tmp_path)),
            stdin=subprocess.PIPE,
        ) as process:
            try:
                with trio.fail_after(60):
                    await second.wait()
                os.killpg(process.pid, signal.SIGINT)
                assert await ended(process, tmp_path) == ("", "")
            finally:
                process.kill()
        nursery.cancel_scope.cancel()


STUCK = """
import sys, time, trio
from rtassist import running

async def stuck():
    with trio.CancelScope(shield=True):
        print("here", flush=True)
        await trio.sleep_forever()

sys.exit(running.run(stuck))
"""


def stuck(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", STUCK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(folder),
        start_new_session=True,
    )


async def test_the_second_ctrl_c_tells_what_it_waits_for_and_leaves(tmp_path: Path) -> None:
    with stuck(tmp_path) as process:
        try:
            await until_said(process.stdout, "here")
            process.send_signal(signal.SIGINT)
            with trio.move_on_after(0.3):
                await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, err = await ended(process)
            assert err.startswith("rtassist: left at once. What had not ended:")
            assert "running.until_signal" in err
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
