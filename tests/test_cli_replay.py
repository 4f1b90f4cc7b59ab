"""`rtassist replay` as a program: streams, signals, several processes."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from rtassist.sessions import checking
from tests.recordings.make import FOLDER
from tests.test_cli import CLEAN, rtassist

ROOT = Path(__file__).parents[1]
SPOKEN = FOLDER / "spoken.jsonl"


def test_a_recording_that_is_equal_is_summed_up(tmp_path: Path) -> None:
    told = rtassist("replay", "-v", str(SPOKEN), folder=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert f"{SPOKEN}: equal" in told.stdout
    assert "3 interruptions, 2 truncations, 1 tool call" in told.stdout
    assert "turn ended at" in told.stdout


def test_a_difference_is_as_narrow_as_the_terminal_and_plain_in_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "changed.jsonl"
    path.write_bytes(SPOKEN.read_bytes().replace(b'"heard":7440', b'"heard":7200'))
    told = rtassist("replay", "changed.jsonl", folder=tmp_path, COLUMNS="60")
    assert told.returncode == 1
    assert max(map(len, told.stdout.splitlines())) <= 60
    assert "\x1b" not in told.stdout
    assert "audio_end_ms=300" in told.stdout


def test_what_strangers_wrote_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "changed.jsonl"
    path.write_bytes(SPOKEN.read_bytes().replace(b"And tomorrow?", b"\\u001b[2J\\u009b2J", 1))
    told = rtassist("replay", str(path), folder=tmp_path)
    assert told.returncode == 1
    assert "\x1b" not in told.stdout
    assert "\x9b" not in told.stdout


def test_many_are_replayed_by_several_processes_in_their_order(tmp_path: Path) -> None:
    *lines, end = SPOKEN.read_bytes().splitlines(keepends=True)
    large = b'{"us":%b,"server":{"type":"x","y":"%b"}}\n' % (
        end.split(b",")[0].split(b":")[1],
        b"y" * 3_500_000,
    )
    for number in range(8):
        (tmp_path / f"{number}.jsonl").write_bytes(b"".join([*lines, large, end]))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) > checking.PAYS_BYTES
    told = rtassist("replay", str(tmp_path), folder=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    names = [line.partition(":")[0] for line in told.stdout.splitlines() if line.endswith(": equal")]
    assert names == sorted(map(str, tmp_path.glob("*.jsonl")))


def test_a_reader_that_leaves_is_no_crash(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rtassist", "replay", *[str(SPOKEN)] * 3]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command, stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, env=CLEAN, timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    """In the middle of a file that has no end."""
    command = [sys.executable, "-m", "rtassist", "replay", "/dev/stdin"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=CLEAN
    ) as running:
        assert running.stdin is not None
        begun = b"".join(SPOKEN.read_bytes().splitlines(keepends=True)[:9])
        running.stdin.write(begun + b'{"us":90000000,"gap":{"lines":1}}\n')
        # Far more than a pipe holds: it is being read when this returns.
        running.stdin.write(b'{"us":90000000,"event":"interrupted"}\n' * 20_000)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert b"Traceback" not in err
    assert running.returncode == 130, err


@pytest.mark.skipif(os.name != "posix", reason="a terminal as Unix has it")
@pytest.mark.parametrize(("environ", "colours"), [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False)])
def test_a_difference_is_coloured_where_the_terminal_is(
    environ: dict[str, str], colours: bool, tmp_path: Path
) -> None:
    import pty

    path = tmp_path / "changed.jsonl"
    path.write_bytes(SPOKEN.read_bytes().replace(b'"heard":7440', b'"heard":7200'))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rtassist", "replay", str(path)]
    with subprocess.Popen(
        command, stdout=theirs, cwd=ROOT, env=CLEAN | {"NO_COLOR": ""} | environ
    ) as replaying:
        os.close(theirs)
        told = b""
        with suppress(OSError):  # so does Linux say that the other end is closed
            while part := os.read(ours, 4096):
                told += part
    os.close(ours)
    assert replaying.returncode == 1
    assert (b"\x1b[31m-" in told) == colours
