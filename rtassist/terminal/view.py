"""What is shown of a conversation as lines of text: who said what, in the order in which it was said.

The user's words often come after the answer to them has begun, so lines are held in order: only the first
open one is written, the ones behind it wait until it is over.
"""

from __future__ import annotations

import re

import attrs
from attrs import frozen

from rtassist.dialogue.effects import Awaited, LineEnded, Notice, Role, Said
from rtassist.terminal.widths import harmless, width

NAMES: dict[Role, str] = {"user": "you: ", "assistant": "assistant: "}
SHORT_NAMES: dict[Role, str] = {"user": "> ", "assistant": ""}
_COLOURS: dict[Role, str] = {"user": "\x1b[32m", "assistant": "\x1b[36m"}
_DIM, _RESET = "\x1b[2m", "\x1b[0m"
UNSAID_WORDS = 8
"""So many words of what was cut off are enough to know where the answer was going."""


@frozen(kw_only=True)
class Style:
    streams: bool
    """Words are written as they come (a terminal); else a line is written when it is whole (a file)."""
    colour: bool = False
    names: bool = True
    """Lines begin with who speaks; without, only what the assistant says is written."""
    typed: bool = True
    """Typed lines are written too; a terminal has shown them already."""
    width: int = 0
    """Columns of the terminal, for breaking lines between words; 0: lines are as long as they are."""
    lines: bool = True
    """The conversation is written; else only notices are."""
    timestamps: bool = False
    compact: bool = False
    """`>` for the user's name, and none for the assistant's."""
    quiet: bool = False
    """Of notices only warnings are written."""


@frozen(kw_only=True)
class Line:
    item_id: str
    role: Role
    text: str = ""
    over: bool = False
    cut: bool = False
    unsaid: str = ""
    clock: str = ""
    """When it began."""


@frozen(kw_only=True)
class Page:
    """The lines that are not written out yet, oldest first, and how much of the first one is."""

    lines: tuple[Line, ...] = ()
    written: int = 0
    begun: bool = False
    column: int = 0
    """Where the cursor stands in the first line."""


def show(
    page: Page, shown: Awaited | Said | LineEnded | Notice, style: Style, clock: str = ""
) -> tuple[Page, str, str]:
    """The next page, what to write to stdout, and what to write to stderr. `clock`: the time of day."""
    if isinstance(shown, Notice):
        return _notice(page, shown, style, clock)
    if not style.lines:
        return page, "", ""
    line = next((line for line in page.lines if line.item_id == shown.item_id), None)
    if isinstance(shown, LineEnded) and shown.typed and not style.typed:
        return page, "", ""
    if line is None:
        line = Line(item_id=shown.item_id, role=shown.role, clock=clock)
        page = attrs.evolve(page, lines=(*page.lines, line))
    page = attrs.evolve(page, lines=tuple(_grown(a, shown) if a is line else a for a in page.lines))
    page, out = _write(page, style)
    return page, out, ""


def rest(page: Page, style: Style) -> str:
    """What is still to be written when the conversation is over."""
    over = tuple(attrs.evolve(line, over=True) for line in page.lines)
    return _write(attrs.evolve(page, lines=over), style)[1]


def _grown(line: Line, shown: Awaited | Said | LineEnded) -> Line:
    if isinstance(shown, Said):
        return attrs.evolve(line, text=line.text + harmless(shown.words))
    if isinstance(shown, LineEnded):
        text, unsaid = harmless(shown.text), harmless(shown.unsaid)
        return attrs.evolve(line, text=text, over=True, cut=shown.cut, unsaid=unsaid)
    return line


def _write(page: Page, style: Style) -> tuple[Page, str]:
    out = ""
    while page.lines:
        line = page.lines[0]
        if not line.over and not style.streams:
            break
        # One line an utterance, for programs that read lines.
        text = line.text.strip() if style.streams else re.sub(r"\s*\n\s*", " ", line.text.strip())
        silent = line.role == "user" and not style.names
        if not silent and len(text) > page.written:
            if not page.begun:
                label, name = _label(line, style)
                out += label + (
                    f"{_COLOURS[line.role]}{name[:-1]}{_RESET} " if style.colour and name else name
                )
                page = attrs.evolve(page, begun=True, column=len(label + name))
            flowing, column = flow(text[page.written :], page.column, style.width)
            out += flowing
            page = attrs.evolve(page, written=len(text), column=column)
        if not line.over:
            break
        if page.begun:
            mark, _ = flow(_cut_mark(line), page.column, style.width) if line.cut else ("", 0)
            out += (f"{_DIM}{mark}{_RESET}" if style.colour and mark else mark) + "\n"
        page = Page(lines=page.lines[1:])
    return page, out


def _label(line: Line, style: Style) -> tuple[str, str]:
    """When the line began, and who speaks."""
    names = SHORT_NAMES if style.compact else NAMES
    return f"{line.clock} " if style.timestamps else "", names[line.role] if style.names else ""


def _cut_mark(line: Line) -> str:
    words = line.unsaid.split()
    unsaid = " ".join(words[:UNSAID_WORDS]) + (" …" if len(words) > UNSAID_WORDS else "")
    return f" [interrupted; not heard: {unsaid}]" if unsaid else " [interrupted]"


def flow(text: str, column: int, columns: int) -> tuple[str, int]:
    """`text` from `column` on, broken between words where it would pass `columns`; and where it ends.

    A word that an earlier piece began is not taken back, and one that is longer than a line is left to the
    terminal.
    """
    if not columns:
        return text, 0
    out = ""
    for space, word in re.findall(r"(\s*)(\S*)", text):
        if "\n" in space:
            out, column = out + space, 0
        elif space and column + len(space) + width(word) > columns:
            out, column = out + "\n", 0
        elif column:
            out, column = out + space, column + len(space)
        out, column = out + word, column + width(word)
    return out, column


def line_typed(page: Page) -> Page:
    """The user pressed Enter on the terminal that shows the page: the cursor is at the left."""
    return attrs.evolve(page, column=0)


def _notice(page: Page, notice: Notice, style: Style, clock: str) -> tuple[Page, str, str]:
    if notice.level == "debug" or (style.quiet and notice.level == "info"):
        return page, "", ""
    text, _ = flow((f"{clock} " if style.timestamps else "") + harmless(notice.text), 0, style.width)
    text = f"{_DIM}{text}{_RESET}" if style.colour else text
    # On a terminal both streams meet: the notice must not land in the middle of a line.
    broken = style.streams and page.column > 0
    return attrs.evolve(page, column=0) if broken else page, "\n" if broken else "", f"{text}\n"
