"""`rtassist bench` is `python -m bench` where there is one, and says where to find it where there is none."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from rtassist import cli_bench
from rtassist.errors import SettingsWrong

ROOT = Path(__file__).parents[1]


def run(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "rtassist", "bench", *arguments]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )


def test_from_any_folder_it_hands_over_what_was_typed_and_the_exit_code(tmp_path: Path) -> None:
    explained = run("--explain", "leave", folder=tmp_path)
    assert explained.stdout.startswith("leave: ")
    assert explained.returncode == 0
    assert "--peers" in run("--help", folder=tmp_path).stdout
    assert run("--only", "nonsense", folder=tmp_path).returncode == 2


def test_without_the_source_it_says_where_the_suite_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_bench, "SOURCE", tmp_path)
    with pytest.raises(SettingsWrong, match="python -m bench"):
        cli_bench.bench(typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None))))
