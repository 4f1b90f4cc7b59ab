"""Interruptions of the real program on a real PulseAudio, as a row: `bench.barge_in` does it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bench.figures import Figure
from bench.plays import ROOT
from bench.row import CannotDo, Row, Samples

QUIET: Final = "quiet"
ERROR: Final = "truncation error"
TRIALS: Final = 20
QUICK_TRIALS: Final = 4
PATIENCE_S: Final = 120.0
"""Twenty take half a minute."""


def sink(trials: list[dict[str, Any]]) -> Samples:
    """Who speaks is heard by the server; a key is another way, and has its own time."""
    return {
        QUIET: [each["quiet_ms"] for each in trials if each["by"] == "speech_started"],
        ERROR: [abs(each["error_ms"]) for each in trials],
    }


def _once(contender: str, quick: bool) -> Samples:
    if sys.platform != "linux" or not all(map(shutil.which, ("pulseaudio", "pactl", "parec"))):
        raise CannotDo("no PulseAudio can be started here")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trials.json"
        count = QUICK_TRIALS if quick else TRIALS
        command = [sys.executable, "-m", "bench.barge_in", "--trials", str(count), "--json", str(file)]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise CannotDo(f"it took longer than {PATIENCE_S:.0f} s") from None
        if done.returncode:
            raise CannotDo(f"it failed: {(done.stderr.splitlines() or ['without a word'])[-1]}"[:200])
        return sink(json.loads(file.read_text())["trials"])


ROWS: Final = (
    Row(
        name="barge-in on a sink",
        measures="`rtassist talk` on a PulseAudio null sink: `speech_started` is sent → the last sample is "
        "in the sink, by its monitor, which may hear it 12 ms before it sounds; and what the truncation "
        "names beside what the sink recorded.",
        figures=(
            Figure(name=QUIET, unit="ms", limit=20),
            Figure(name=ERROR, unit="ms", limit=20, of="worst"),
        ),
        once=_once,
        rounds=3,
        quick_rounds=1,
    ),
)
