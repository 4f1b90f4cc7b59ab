"""How fast a recording is replayed, in how much memory, and how large it is.

    python -m bench.replay [--json] [--rounds N]

Recordings of one hour and of four (`bench.hour`: the journal's own lines of a spoken conversation) are made
in a temporary folder, and each is replayed by a fresh process as `rtassist replay` does it, summary included.
Time is the processor's, so that what else the machine does counts less; the fastest of a few rounds is given.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.figures import Figure
from bench.hour import write
from bench.row import Row, Samples
from rtassist.errors import EXIT_OK
from rtassist.sessions import checking

HOURS: Final = (1, 4)


def replayed(path: Path, rounds: int) -> dict[str, float]:
    """In this process: the least processor time of a few rounds, in seconds, and the peak memory in MB."""
    before_mb = _peak_mb()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        report = checking.check(path)
        taken.append(time.process_time() - start)
        assert report.code == EXIT_OK, report
    return {"s": min(taken), "peak_mb": _peak_mb(), "more_mb": _peak_mb() - before_mb}


def _peak_mb() -> float:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024)


def measured(folder: Path, hours: int, rounds: int) -> dict[str, Any]:
    path = folder / f"{hours}.jsonl"
    write(str(path), 60 * hours)
    run = subprocess.run(
        [sys.executable, "-m", "bench.replay", "--one", str(path), "--rounds", str(rounds)],
        check=True,
        capture_output=True,
        text=True,
    )
    figures = json.loads(run.stdout)
    size = path.stat().st_size
    with open(path, "rb") as file:
        lines = sum(1 for _ in file)
    return {
        "hours": hours,
        "lines": lines,
        "kb_per_minute": size / (60 * hours) / 1000,
        "seconds": figures["s"],
        "times_real_time": hours * 3600 / figures["s"],
        "peak_mb": figures["peak_mb"],
        "more_mb": figures["more_mb"],
    }


def _replay(contender: str, quick: bool) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), 1, 1 if quick else 3)
    return {
        SPEED: [figures["times_real_time"]],
        LINES: [figures["lines"] / figures["seconds"]],
        MEMORY: [figures["more_mb"]],
        SIZE: [figures["kb_per_minute"]],
    }


SPEED, LINES, MEMORY, SIZE = "an hour", "lines", "memory for it", "a recorded minute, without sound"
ROWS: Final = (
    Row(
        name="replay",
        measures="The recording of an hour, read, decided again, compared and summed up → as many times "
        "faster than it was spoken, by the processor's time in a fresh process.",
        figures=(
            Figure(name=SPEED, unit="× real time", limit=10_000, more_is_better=True),
            Figure(name=LINES, unit="a second", more_is_better=True),
            Figure(name=MEMORY, unit="MB"),
            Figure(name=SIZE, unit="kB"),
        ),
        once=_replay,
        rounds=3,
        quick_rounds=1,
    ),
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--json", action="store_true", help="one JSON object")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--one", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(json.dumps(replayed(Path(given.one), given.rounds)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured(Path(folder), hours, given.rounds) for hours in HOURS]
    if given.json:
        print(json.dumps({"python": sys.version.split()[0], "replay": rows}))
        return
    print(
        f"{'recorded':>9}{'lines':>9}{'kB/min':>9}{'s':>8}{'× real time':>13}{'peak MB':>9}{'of it here':>12}"
    )
    for row in rows:
        print(
            f"{row['hours']:>7} h{row['lines']:>9}{row['kb_per_minute']:>9.0f}{row['seconds']:>8.2f}"
            f"{row['times_real_time']:>13.0f}{row['peak_mb']:>9.0f}{row['more_mb']:>12.1f}"
        )


if __name__ == "__main__":
    main()
