"""Start and leaving: what makes the program slower moves the figure."""

import os
import subprocess
from pathlib import Path

import pytest

from bench.startup import PIPES, forget, left_ms, read_at_start, run_ms, started_ms
from tests.talking import ROOT

CHUNK = bytes(960)


def slower(folder: Path, script: str) -> str:
    """A PYTHONPATH on which every start of Python runs `script` first."""
    (folder / "sitecustomize.py").write_text(script)
    return os.pathsep.join([str(folder), str(ROOT)])


@pytest.mark.parametrize(("arguments", "given"), [(("--text",), b"hello\n"), (PIPES, CHUNK)])
async def test_the_interpreter_is_part_of_a_start(
    arguments: tuple[str, ...], given: bytes, tmp_path: Path
) -> None:
    slow = slower(tmp_path, "import time; time.sleep(1.5)")
    normal_ms = await started_ms(arguments, given)
    assert normal_ms > 0
    assert await started_ms(arguments, given, PYTHONPATH=slow) > 1500


async def test_the_servers_answer_is_part_of_a_start() -> None:
    """Nothing is spoken before `session.updated`."""
    assert await started_ms(PIPES, CHUNK, hesitates_s=1.0) > 1000


@pytest.mark.parametrize("speaking", [False, True])
async def test_all_that_ends_is_part_of_leaving(speaking: bool, tmp_path: Path) -> None:
    slow = slower(tmp_path, "import atexit, time; atexit.register(time.sleep, 1.0)")
    assert await left_ms(speaking, PYTHONPATH=slow) > 1000


def test_the_end_is_not_looked_for_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Popen.wait does, with a timeout: by it --help took 64 or 114 ms, and 69 in truth."""
    waited: list[float | None] = []
    wait = subprocess.Popen.wait

    def noted(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        waited.append(timeout)
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", noted)
    assert run_ms("-c", "pass") > 0
    assert waited == [None]
    with pytest.raises(RuntimeError, match="ended with 3"):
        run_ms("-c", "raise SystemExit(3)")


def test_what_a_start_reads_is_known() -> None:
    names = {path.name for path in read_at_start()}
    assert {"converse.py", "cli.py", "microphone.py"} <= names
    if hasattr(os, "posix_fadvise"):
        forget(read_at_start())
