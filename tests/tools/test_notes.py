import json
import stat
from pathlib import Path

import pytest

from rtassist.tools.notes import LONGEST_NOTE, notes
from rtassist.tools.registry import Toolbox


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "session.notes.txt"


async def test_notes_are_kept_in_their_order_for_their_owner_alone(place: Path) -> None:
    toolbox = Toolbox(notes(lambda: place))

    assert json.loads(await toolbox.run("read_notes", "{}")) == []
    assert not is_there(place), "reading makes nothing"
    await toolbox.run("add_note", '{"text": "Buy milk\\nand   eggs."}')
    told = json.loads(await toolbox.run("add_note", '{"text": "Call Ada. \\u20ac 5"}'))

    assert told == {"noted": "Call Ada. € 5", "number": 2}
    assert json.loads(await toolbox.run("read_notes", "{}")) == ["1. Buy milk and eggs.", "2. Call Ada. € 5"]
    assert json.loads(await toolbox.run("read_notes", '{"containing": "ADA"}')) == ["2. Call Ada. € 5"]
    look_at(place)


def is_there(place: Path) -> bool:
    return place.exists()


def look_at(place: Path) -> None:
    assert place.read_text("utf-8") == "Buy milk and eggs.\nCall Ada. € 5\n"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST_NOTE + 1)])
async def test_a_note_has_a_length(text: str, place: Path) -> None:
    told = json.loads(await Toolbox(notes(lambda: place)).run("add_note", json.dumps({"text": text})))
    assert "a note has 1 to 2000 characters" in told["error"]
    assert not is_there(place)


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = json.loads(
        await Toolbox(notes(lambda: tmp_path / "file" / "notes")).run("add_note", '{"text": "a"}')
    )
    assert "add_note failed" in told["error"]
