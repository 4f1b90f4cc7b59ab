"""The conversation as a live terminal shows it: rows that are final and scroll away, and a few below them
that still change. Pure.

Words appear as they come, also those behind a line that is not complete. What the user said often comes after
the answer to it has begun, so lines are kept in order, and only what is at the front and changes no more is
final. A notice stands above all that still changes.
"""

from __future__ import annotations

import re

import attrs
from attrs import frozen

from rtassist.dialogue.effects import Awaited, LineEnded, Notice, Role, Said
from rtassist.terminal.widths import Paint, Row, breaks, harmless, painted, rows, width

UNHEARD_WORDS = 20
"""So many words of what was cut off are shown: a row or two, enough to know where the answer was going."""
_NAMES: dict[Role, str] = {"user": "you: ", "assistant": "assistant: "}
_SHORT: dict[Role, str] = {"user": "> ", "assistant": ""}
_COLOURS: dict[Role, str] = {"user": "1;32", "assistant": "1;36"}
_BOLD, _DIM, _UNHEARD = "1", "2", "2;9"
INDENT = 2
_LISTED = re.compile(r"/?\S+(?: \S+)*?\s{2,}(?=\S)")
"""The first column of a line of a list: what wraps goes on below the second one."""


@frozen(kw_only=True)
class Look:
    """How it is shown. Without `colour` attributes are used even so, as NO_COLOR has it."""

    colour: bool = True
    unicode: bool = True
    timestamps: bool = False
    compact: bool = False
    quiet: bool = False


@frozen(kw_only=True)
class Block:
    """One line of the conversation, of as many rows as it takes."""

    item_id: str
    role: Role
    stamp: str
    name: str
    spaced: bool
    """An empty row goes before it."""
    text: str = ""
    unheard: str = ""
    over: bool = False
    done: int = 0
    """Characters of all that is shown of it, the name included, that are final."""


@frozen
class Note:
    text: str
    sign: str
    sgr: str


@frozen
class Sheet:
    """What is not final yet, oldest first."""

    entries: tuple[Block | Note, ...] = ()
    written: bool = False
    """Something is above it."""


def show(sheet: Sheet, shown: Awaited | Said | LineEnded | Notice, look: Look, clock: str) -> Sheet:
    """The sheet with what came. `clock`: the time of day, as it is to be shown."""
    if isinstance(shown, Notice):
        return _noticed(sheet, shown, look, clock)
    block = _find(sheet, shown.item_id)
    if block is None:
        stamp = f"{clock} " if look.timestamps else ""
        names = _SHORT if look.compact else _NAMES
        block = Block(
            item_id=shown.item_id,
            role=shown.role,
            stamp=stamp,
            name=names[shown.role],
            spaced=shown.role == "user" and not look.compact,
        )
        sheet = attrs.evolve(sheet, entries=(*sheet.entries, block))
    grown = _grown(block, shown, look)
    return attrs.evolve(sheet, entries=tuple(grown if a is block else a for a in sheet.entries))


def entered(sheet: Sheet, command: str) -> Sheet:
    """The user entered a command, which is no part of the conversation."""
    return _before_open(sheet, Note(harmless(command), "> ", _DIM))


def over(sheet: Sheet) -> Sheet:
    """Nothing of what is open will come any more."""
    ended = (attrs.evolve(a, over=True) if isinstance(a, Block) else a for a in sheet.entries)
    return attrs.evolve(sheet, entries=tuple(ended))


def laid(sheet: Sheet, look: Look, columns: int) -> tuple[list[Row], list[Row], Sheet]:
    """The rows that are final now, the rows below them, and the sheet without the former."""
    final: list[Row] = []
    live: list[Row] = []
    left: list[Block | Note] = []
    written = sheet.written
    for entry in sheet.entries:
        if isinstance(entry, Note):
            made = _note_rows(entry, look, columns)
            settled, kept = len(made), None
        else:
            made, settled, kept = _block_rows(entry, look, columns, first=not written)
        written = written or bool(made)
        if left:
            live += made
            left.append(entry)
            continue
        final += made[:settled]
        live += made[settled:]
        if kept is not None:
            left.append(kept)
    return final, live, Sheet(tuple(left), sheet.written or bool(final))


def _find(sheet: Sheet, item_id: str) -> Block | None:
    return next((a for a in sheet.entries if isinstance(a, Block) and a.item_id == item_id), None)


def _before_open(sheet: Sheet, note: Note) -> Sheet:
    open_at = [i for i, entry in enumerate(sheet.entries) if isinstance(entry, Block) and not entry.over]
    at = open_at[0] if open_at else len(sheet.entries)
    return attrs.evolve(sheet, entries=(*sheet.entries[:at], note, *sheet.entries[at:]))


def _noticed(sheet: Sheet, notice: Notice, look: Look, clock: str) -> Sheet:
    if notice.level == "debug" or (look.quiet and notice.level == "info"):
        return sheet
    warning = notice.level == "warning"
    sign = "! " if warning else "· " if look.unicode else "- "
    text = harmless(notice.text)
    text = f"{clock} {text}" if look.timestamps else text
    return _before_open(sheet, Note(text, sign, ("1;33" if look.colour else _BOLD) if warning else _DIM))


def _note_rows(note: Note, look: Look, columns: int) -> list[Row]:
    listed = _LISTED.match(note.text)
    sign = " " * len(note.sign) if listed else note.sign
    text = sign + note.text
    indent = len(note.sign) + (len(listed[0]) if listed and len(listed[0]) <= columns // 2 else 0)
    # A warning is read: only its sign is painted, for yellow is not legible on white.
    end = len(text) if note.sgr == _DIM else len(note.sign)
    return rows(text, columns, indent=indent, paints=(Paint(0, end, note.sgr),))


def _grown(block: Block, shown: Awaited | Said | LineEnded, look: Look) -> Block:
    if isinstance(shown, Said):
        return attrs.evolve(block, text=block.text + harmless(shown.words))
    if isinstance(shown, LineEnded):
        words = harmless(shown.unsaid).split()
        more = ("…" if look.unicode else "...") if len(words) > UNHEARD_WORDS else ""
        unheard = " ".join([*words[:UNHEARD_WORDS], *filter(None, [more])])
        dash = "—" if look.unicode else "--"
        mark = f" {dash} {unheard}".rstrip() if shown.cut else ""
        return attrs.evolve(block, text=harmless(shown.text), over=True, unheard=mark)
    return block


def _block_rows(
    block: Block, look: Look, columns: int, *, first: bool
) -> tuple[list[Row], int, Block | None]:
    """The rows of a block from where it is not final, how many of these are final now, and what is left."""
    text = block.text.strip()
    label = block.stamp + block.name
    if not text:
        if block.over:
            return [], 0, None
        if block.role == "assistant":
            return [], 0, block
        text = "…" if look.unicode else "..."
    whole = label + text + block.unheard
    paints = (
        Paint(0, len(block.stamp), _DIM),
        Paint(len(block.stamp), len(label), _COLOURS[block.role] if look.colour else _BOLD),
        Paint(len(label) + len(text), len(whole), _UNHEARD),
    )
    if block.over and block.done and not whole[block.done :].strip():
        return [], 0, None
    made = []
    pieces = [(block.done + a, block.done + b) for a, b in breaks(whole[block.done :], columns)]
    for start, end in pieces:
        shown = whole[start:end].replace("\t", "    ")
        made.append(Row(painted(whole, start, end, paints), width(shown)))
    blank = block.spaced and not block.done and not first
    if blank:
        made.insert(0, Row())
    if block.over:
        return made, len(made), None
    if block.role == "user" or len(pieces) == 1:
        return made, 0, block
    return made, len(made) - 1, attrs.evolve(block, done=pieces[-1][0])
