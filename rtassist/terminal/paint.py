"""The least to write so that a terminal shows other rows at its bottom than it did. Pure.

The rows are broken by us and written with the terminal's own breaking off, so that a character that it takes
for wider than we do costs a letter at the edge and never the order of the rows below.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from rtassist.terminal.widths import Row

# Synchronized output (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036) has the
# terminal show all of it at once; one that does not know it ignores it. Then the cursor, and breaking of rows
# (DECAWM).
BEGIN, END = "\x1b[?2026h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?2026l"


@frozen
class Shown:
    """The rows at the bottom that may still change, and where in them the cursor is."""

    rows: tuple[Row, ...] = ()
    row: int = 0
    column: int = 0


def repaint(before: Shown, rows: Sequence[Row], row: int, column: int, columns: int) -> str:
    """What makes `before` into `rows`, with the cursor in `row` at `column`. Empty where nothing differs.

    Rows below those that were shown scroll the terminal, of so many `columns`, where they must. All of
    `before` is on the screen.
    """
    out, at = "", before.row
    for index, new in enumerate(rows):
        old = before.rows[index] if index < len(before.rows) else None
        if old == new:
            continue
        if old is None and index and index >= len(before.rows):
            out += _to(at, index - 1) + "\r\n" + new.text
        else:
            # Behind a full row there is nothing to wipe, and the cursor stands on its last letter.
            wipe = "\x1b[K" if (old is None or old.width > new.width) and new.width < columns else ""
            out += _to(at, index) + "\r" + new.text + wipe
        at = index
    if len(rows) < len(before.rows):
        out += _to(at, len(rows)) + "\r\x1b[J"
        at = len(rows)
    if not out and (row, column) == (before.row, before.column):
        return ""
    out += _to(at, row) + "\r" + (f"\x1b[{column}C" if column else "")
    return f"{BEGIN}{out}{END}"


def wiped(before: Shown, columns: int, lines: int, *, reflows: bool) -> str:
    """What wipes the rows of `before` after the terminal has got another size, the cursor at their beginning.

    A terminal that `reflows` breaks rows that have become too long into several; others cut them off.
    """
    above = before.row
    if reflows:
        above = sum(max(1, -(-row.width // columns)) for row in before.rows[: before.row])
        above += before.column // columns
    above = min(above, lines - 1)
    return "\r" + _to(above, 0) + "\x1b[J"


def _to(at: int, row: int) -> str:
    if row == at:
        return ""
    return f"\x1b[{at - row}A" if row < at else f"\x1b[{row - at}B"
