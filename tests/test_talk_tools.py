"""Own tools, questions and hooks in whole conversations with the embedded server, without a key."""

import json
import sys
from pathlib import Path

import pytest

from rtassist.sessions.testing import assert_replays_equal
from tests.test_cli import rtassist

TOOLS = """
import pathlib
import rtassist

def roll_dice(sides: int = 6) -> int:
    "Roll a die."
    print("not part of the conversation")
    return sides // 2

@rtassist.tool(asks=True)
def delete(file: str) -> str:
    "Delete a file."
    pathlib.Path(file).unlink()
    return f"deleted {file}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(TOOLS)
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    return tmp_path


def talk(folder: Path, typed: str, *arguments: str) -> tuple[list[str], str]:
    run = rtassist(
        "talk", "--offline", "--text", "--tools", "mine.py", *arguments, folder=folder, typed=typed
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines(), run.stderr


def test_an_own_tool_is_called_and_what_asks_is_asked_about(folder: Path) -> None:
    typed = "use roll_dice with sides 20\nroll dice with sides many\nuse delete a\ny\nuse delete b\nn\n"
    said, told = talk(folder, typed, "--record", "talk.jsonl")
    assert said == [
        "roll_dice answered: 10",
        "roll_dice gave no result: sides must be a whole number, not 'many'.",
        "delete answered: deleted a",
        "delete gave no result: the user did not allow it.",
    ]
    assert "→ roll_dice(sides=20)\n" in told
    assert "s: 10\n" in told
    assert "not part of the conversation\n" in told
    assert 'Allow delete(file="a")? y/n\nAllowed.\n→ delete(file="a")\n' in told
    assert not (folder / "a").exists()
    assert (folder / "b").exists()
    assert assert_replays_equal(folder / "talk.jsonl").tool_calls == 3


def test_at_the_end_of_a_pipe_nobody_can_be_asked_unless_it_was_said_before(folder: Path) -> None:
    assert talk(folder, "use delete a\n")[0] == [
        "delete gave no result: it needs the user's permission, and nobody can be asked."
    ]
    assert talk(folder, "use delete a\n", "--yes-to", "delete")[0] == ["delete answered: deleted a"]


def test_notes_lie_beside_the_recording(folder: Path) -> None:
    said, _ = talk(folder, "use add_note buy milk, and eggs\nread notes\n", "--record", "kept/talk.jsonl")
    assert said[1] == 'read_notes answered: ["1. buy milk, and eggs"]'
    assert (folder / "kept" / "talk.notes.txt").read_text() == "buy milk, and eggs\n"


def test_hooks_hear_of_it(folder: Path) -> None:
    program = "import sys; open('heard', 'a').write(sys.stdin.read())"
    (folder / "hook.py").write_text(program)
    hook = f"{sys.executable} hook.py"
    heard: list[dict[str, object]] = []
    for _ in range(10):  # at the end a hook has a second, which may be too short on a busy machine
        talk(folder, "use roll_dice 8\n", "--exec", f"tool.done={hook}")
        if (folder / "heard").exists():
            heard = [json.loads(line) for line in (folder / "heard").read_text().splitlines()]
        if heard:
            break
    assert [(fields["event"], fields["name"], fields["output"]) for fields in heard] == [
        ("tool.done", "roll_dice", "4")
    ]


def test_a_file_that_is_no_tools_ends_with_2_before_anything_begins(folder: Path) -> None:
    (folder / "bad.py").write_text("def a(x): ...\n")
    run = rtassist("talk", "--offline", "--tools", "bad.py", "--tools", "nonsuch.py", folder=folder)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.splitlines() == [
        "rtassist: bad.py: a: the parameter x has no type hint.",
        "nonsuch.py: there is no such file.",
    ]


def test_a_remote_server_that_cannot_be_called_is_told_and_the_rest_goes_on(folder: Path) -> None:
    said, told = talk(folder, "use roll_dice 8\n", "--mcp", "net=https://mcp.example.com/")
    assert said[-1] == "roll_dice answered: 4"
    assert "cannot list the tools of an MCP server (net)" in told


def test_tools_shows_what_the_model_is_told(folder: Path) -> None:
    shown = rtassist("tools", "--tools", "mine.py", folder=folder)
    assert shown.returncode == 0
    assert 'roll_dice\n    Roll a die.\n    sides: {"type": "integer"}, may be left out\n' in shown.stdout
    assert "delete  (asks first)\n" in shown.stdout
    as_json = json.loads(rtassist("tools", "--tools", "mine.py", "--json", folder=folder).stdout)
    assert as_json[-1]["name"] == "delete"
    assert as_json[-1]["parameters"]["required"] == ["file"]
    assert rtassist("tools", "--tools", "nonsuch.py", folder=folder).returncode == 2
