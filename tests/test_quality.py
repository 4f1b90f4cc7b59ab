"""The checks that read the source: formatting, lint, types; in the one test command, so none is forgotten."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ruff", "check", "--no-cache", "."], id="ruff"),
        pytest.param(["ruff", "format", "--no-cache", "--check", "."], id="format"),
        pytest.param(["mypy", "--strict"], id="mypy"),
    ],
)
def test_the_source_passes(arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )

    assert run.returncode == 0, run.stdout + run.stderr
