"""Seconds of the fuzzer that is guided by coverage; more: python -m tests.fuzz.guided wire --seconds 600."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has wheels for Linux on x86-64 alone"
)
# So many runs and not so many seconds: the same ones on every machine.
@pytest.mark.parametrize("target", ["wire", "journal"])
def test_what_it_finds_breaks_nothing(target: str, tmp_path: Path) -> None:
    fuzzed = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", target, "--seconds", "60", "--runs", "3000"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    assert fuzzed.returncode == 0, fuzzed.stderr[-3000:]
    done = re.search(r"Done (\d+) runs", fuzzed.stderr)
    assert done is not None
    assert int(done[1]) > 100
