"""Rows are run in turns, shown, kept as JSON and compared."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import results, suite, table
from bench.figures import Figure
from bench.row import CannotDo, Row, Samples
from bench.rows import ROWS

ROOT = Path(__file__).parents[2]


def row(calls: list[str]) -> Row:
    def once(contender: str, quick: bool) -> Samples:
        calls.append(contender)
        if contender == "unable":
            raise CannotDo("it has no ears")
        return {"delay": [1.0, 2.0] if contender == "rtassist" else [4.0, 8.0]}

    return Row(
        name="row",
        measures="Nothing.",
        figures=(Figure(name="delay", unit="ms", limit=1.5),),
        once=once,
        contenders=("rtassist", "bound", "peer", "unable"),
        bounds=("bound",),
        rounds=2,
        quick_rounds=1,
    )


def test_contenders_take_turns() -> None:
    calls: list[str] = []
    suite.run([row(calls)], quick=False, peers=True, tell=lambda line: None)
    assert calls == ["rtassist", "bound", "peer", "unable", "rtassist", "bound", "peer"]


def test_without_peers_the_bounds_are_measured() -> None:
    calls: list[str] = []
    suite.run([row(calls)], quick=True, peers=False, tell=lambda line: None)
    assert calls == ["rtassist", "bound"]


def test_the_table_says_it_all() -> None:
    measured = suite.run([row([])], quick=False, peers=True, tell=lambda line: None)
    lines = [" ".join(line.split()) for line in table.lines(measured)]
    assert lines == [
        "median p99 limit",
        "row: delay, ms 1.5 2 ≤ 1.5 ok",
        "bound 6 8 × 4",
        "peer 6 8 × 4",
        "unable – – it has no ears",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0412, "0.041"), (4.123, "4.12"), (412.3, "412"), (41234, "41,234")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert table.number(value) == text


def test_results_are_kept() -> None:
    measured = suite.run([row([])], quick=False, peers=True, tell=lambda line: None)
    kept = results.results(datetime(2026, 11, 22, tzinfo=UTC), measured)
    assert results.from_json(results.to_json(kept)) == kept
    assert list(table.compared(kept.measured, kept.measured)) == [
        f"row: delay, {name}: no difference (× {span})"
        for name, span in (("rtassist", "0.35 to 2.86"), ("bound", "0.35 to 2.86"), ("peer", "0.35 to 2.86"))
    ]


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format":"rtassist bench","version":2}'])
def test_another_file_is_refused(text: bytes) -> None:
    with pytest.raises(results.NoResults):
        results.from_json(text)


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_it_runs_and_compares(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    done = bench("--quick", "--only", "encode", "--json", str(file))
    assert done.returncode == 0, done.stderr
    assert "encode: 20 ms of audio, ns" in done.stdout
    assert json.loads(file.read_text())["measured"][0]["row"] == "encode"
    compared = bench("--compare", str(file), str(file))
    assert "no difference" in compared.stdout


def test_a_missed_limit_is_a_failure_where_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    bench("--quick", "--only", "encode", "--json", str(file))
    kept = json.loads(file.read_text())
    kept["measured"][0]["figure"]["limit"] = 0.001
    file.write_text(json.dumps(kept))
    assert bench("--from", str(file)).returncode == 0
    strict = bench("--from", str(file), "--strict")
    assert strict.returncode == 1
    assert "MISSED" in strict.stdout


@pytest.mark.parametrize(
    "arguments", [("--only", "nothing"), ("--explain", "nothing"), ("--compare", "no.json", "no.json")]
)
def test_wrong_use_is_one_sentence(arguments: tuple[str, ...]) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_every_row_says_what_it_measures() -> None:
    for each in ROWS:
        assert each.measures.endswith(".")
        assert "→" in each.measures
    assert len({each.name for each in ROWS}) == len(ROWS)
