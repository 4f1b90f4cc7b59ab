"""However the program ends, the terminal is as it was before, and nobody writes into what is drawn."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.terminal.emulator import Emulator, terminal

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are of Unix", allow_module_level=True)

ROOT = Path(__file__).parents[2]
TAKE = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0)"


@contextmanager
def held(how: str, log: Path) -> Iterator[tuple[Emulator, "subprocess.Popen[bytes]", list[object]]]:
    """The program on a terminal of its own, and how that was before."""
    with terminal() as emulator:
        before = emulator.mode()
        command = [sys.executable, "-m", "tests.terminal.held", how, str(log)]
        with subprocess.Popen(
            [sys.executable, "-c", f"{TAKE}; os.execv(sys.argv[1], sys.argv[1:])", *command],
            stdin=emulator.inside,
            stdout=emulator.inside,
            stderr=emulator.inside,
            cwd=ROOT,
        ) as process:
            try:
                yield emulator, process, before
            finally:
                process.kill()


async def ended(emulator: Emulator, process: "subprocess.Popen[bytes]") -> int:
    await emulator.until(lambda: process.poll() is not None)
    emulator.read()
    return process.returncode


def given_back(emulator: Emulator, before: list[object]) -> None:
    assert emulator.mode() == before
    assert not emulator.screen.cursor.hidden
    written = emulator.written.decode()
    assert written.rindex("\x1b[?2004l") > written.rindex("\x1b[?2004h")
    assert written.rindex("\x1b[?7h") > written.rindex("\x1b[?7l")
    assert not any("connecting" in line for line in emulator.lines())


@pytest.mark.parametrize(
    ("how", "code"),
    [("leaves", 0), ("Ctrl-C", 130), ("SIGTERM", 143), ("SIGHUP", 129), ("raises", 1), ("hangs", 130)],
)
async def test_the_terminal_is_given_back(how: str, code: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with held(how, log) as (emulator, process, before):
        await emulator.until_shown("Held.")
        if how != "raises":
            assert emulator.mode() != before
        if how == "leaves":
            emulator.type(b"\x04")
        elif how.startswith("SIG"):
            os.kill(process.pid, getattr(signal, how))
        elif how == "Ctrl-C":
            emulator.type(b"\x03")
        elif how == "hangs":  # the first is in vain
            emulator.type(b"\x03")
            while process.poll() is None:
                emulator.type(b"\x03")
                with trio.move_on_after(0.2):
                    await emulator.until(lambda: process.poll() is not None)
        assert await ended(emulator, process) == code
        given_back(emulator, before)
        shown = emulator.everything()
    assert shown[0] == "· Held."
    assert "ALSA" not in "\n".join(shown)
    if how == "leaves":
        assert shown == ["· Held.", "after"]
    told = log.read_text()
    for words in ("ALSA lib pcm.c:2722: Unknown PCM", "a line of a log", "UserWarning: a warning"):
        assert words in told


async def test_it_can_be_suspended_and_comes_back_as_it_was(tmp_path: Path) -> None:
    with held("leaves", tmp_path / "log") as (emulator, process, before):
        await emulator.until_shown("Held.")
        emulator.type(b"half a li")
        await emulator.until_shown("> half a li")
        raw = emulator.mode()
        emulator.type(b"\x1a")
        await emulator.until(lambda: _stopped(process.pid))
        emulator.read()
        given_back(emulator, before)
        assert emulator.lines() == ["· Held."]
        emulator.screen.draw("$ fg\r\n")
        os.kill(process.pid, signal.SIGCONT)
        await emulator.until_shown("> half a li")
        assert emulator.mode() == raw
        emulator.type(b"ne\r")
        await emulator.until_shown("Typed(text='half a line')")
        emulator.type(b"\x04")
        assert await ended(emulator, process) == 0
        given_back(emulator, before)


def _stopped(pid: int) -> bool:
    return os.waitpid(pid, os.WUNTRACED | os.WNOHANG)[0] == pid
