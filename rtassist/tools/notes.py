"""The tools `add_note` and `read_notes`: what the user wants written down, in a file of the user's own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from rtassist.tools.registry import Tool, tool

LONGEST_NOTE = 2_000
MOST_NOTES = 1_000


def notes(place: Callable[[], Path]) -> tuple[Tool, Tool]:
    """The two tools. `place` gives the file, a note in each line; it is made, for its owner only, with the
    first note, and so are the folders above it.
    """

    def add_note(text: Annotated[str, "What to write down, in full sentences."]) -> dict[str, object]:
        """Write a note down for the user. Only when asked to."""
        line = " ".join(text.split())
        if not 0 < len(line) <= LONGEST_NOTE:
            raise ValueError(f"a note has 1 to {LONGEST_NOTE} characters")
        number = len(_read(place())) + 1
        if number > MOST_NOTES:
            raise ValueError(f"there are {MOST_NOTES} notes, which is all that fit")
        append(place(), line)
        return {"noted": line, "number": number}

    def read_notes(
        containing: Annotated[str, "Only notes that contain this; all, if it is empty."] = "",
    ) -> list[str]:
        """Read the notes that were written down, oldest first."""
        found = enumerate(_read(place()), 1)
        return [f"{number}. {line}" for number, line in found if containing.lower() in line.lower()]

    return tool(add_note), tool(read_notes)


def append(path: Path, line: str) -> None:
    """Add a line to a file that only its owner can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def _read(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
