"""The README tells the truth: its commands, its diagram, its tree."""

import re
from pathlib import Path

from rtassist.dialogue.floor import diagram

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_there_are_two_commands_each_alone_under_its_heading() -> None:
    blocks = re.findall(r"^## (.+)\n\n```sh\n(.+)\n```$", README, re.MULTILINE)
    assert [heading for heading, _ in blocks] == ["Run it", "Test it"]
    assert README.count("```") == 4


def test_the_floor_is_drawn_as_its_table_says() -> None:
    rows = [line.strip() for line in diagram().splitlines()]
    shown = [line.strip() for line in README.splitlines() if "──" in line]
    assert shown == rows


def test_the_tree_names_what_is_there() -> None:
    _, tree = README.split("## The tree")
    for path in (ROOT / "rtassist").iterdir():
        if not path.name.startswith(("_", ".")) and path.name not in {
            "py.typed",
            "setting_values.py",
            "sessions",
        }:
            assert path.name in tree, path.name
