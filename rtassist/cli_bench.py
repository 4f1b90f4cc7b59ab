"""`rtassist bench`: the latency suite, which lies beside the source and is not installed with the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

SOURCE = Path(__file__).parents[1]


def bench(context: typer.Context) -> None:
    """Measure how fast and how exact this client is, from a checkout of its source: python -m bench."""
    if not (SOURCE / "bench" / "__main__.py").is_file():
        from rtassist.errors import SettingsWrong

        raise SettingsWrong(
            ["The suite is not installed with the program: in a checkout of its source, python -m bench."]
        )
    path = os.pathsep.join(filter(None, (str(SOURCE), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", "bench", *context.args]
    raise typer.Exit(subprocess.run(command, env=os.environ | {"PYTHONPATH": path}).returncode)
