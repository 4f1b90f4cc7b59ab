"""The README tells the truth: its commands, its diagram, its tree."""

import re
from pathlib import Path

from rtassist.dialogue.floor import diagram
from rtassist.sessions.replay import Different, replay
from rtassist.sessions.showing import diff
from tests.recordings.make import recording

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
        if not path.name.startswith(("_", ".")) and path.name not in {"py.typed", "setting_values.py"}:
            assert path.name in tree, path.name


def test_the_difference_is_shown_as_it_is_told() -> None:
    changed = recording("spoken").replace(b'"heard":7440', b'"heard":7200')
    found = replay(changed.splitlines(keepends=True))
    assert isinstance(found, Different)
    for line in diff(found.difference, width=96)[4:]:
        assert f"    {line}\n" in README
