"""Command lines of any content end with one of the documented codes."""

import re
import subprocess
import sys
from pathlib import Path

from rtassist import cli
from tests.fuzz import command_line

ROOT = Path(__file__).parents[2]


def test_whatever_is_typed(tmp_path: Path) -> None:
    """In a process of their own: what is drawn may be meant for its streams."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.command_line", "--runs", "60"],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    told = ended.stdout.decode(errors="replace").replace("\0", "")
    assert ended.returncode == 0, told + ended.stderr.decode(errors="replace")
    assert "60 command lines, 0 wrong" in told


def test_the_codes_are_the_documented_ones() -> None:
    documented = {int(code) for code in re.findall(r"(?:: |, )(\d+) ", cli.EXIT_CODES)}
    assert documented - {70, 130} == command_line.CODES
