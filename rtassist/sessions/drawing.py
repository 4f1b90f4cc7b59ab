"""Recordings and conversations as lines for a terminal, with columns counted as it shows them.

`width` is in columns; 0 leaves lines as long as they are, for a file or a pipe. Without `colour` there are
words in place of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from rtassist.sessions.comparing import Pair, Turn
from rtassist.sessions.repository import Kept, Match, State, words_of
from rtassist.sessions.transcript import Entry, ToolCall, Transcript, duration, one_line

NAMES: Final = {"user": "you", "assistant": "assistant"}
_COLOURS: Final = {"user": "green", "assistant": "cyan"}
_NARROWEST: Final = 16
"""Columns in which words can still be read; with fewer they get a line of their own."""
_ENDLESS: Final = 100_000
_NOTHING: Final = "(nothing)"


def list_lines(kept: Sequence[Kept], width: int, *, colour: bool = False) -> list[str]:
    """Each recording: its id, length, turns of the user, and how it begins or what is wrong with it."""
    rows = [(one_line(one.id), *_figures(one)) for one in kept]
    widths = [max((cell_len(row[column]) for row in rows), default=0) for column in (0, 1, 2)]
    stacked = width and width - sum(widths) - 6 < _NARROWEST
    lines: list[RenderableType] = []
    for (id, length, turns), told in zip(rows, map(_told, kept), strict=True):
        id += " " * (widths[0] - cell_len(id))
        figures = f"{id}  {length:>{widths[1]}}  {turns:>{widths[2]}}"
        if stacked:
            lines.append(_one(figures))
            lines.append(_one("    ").append(told))
        else:
            lines.append(_one(f"{figures}  ").append(told))
    return _drawn(lines, width, colour=colour)


def _one(text: str, style: str = "") -> Text:
    """A line that is cut where there is no more room."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _figures(one: Kept) -> tuple[str, str]:
    if one.state in (State.FOREIGN, State.DAMAGED):
        return "", ""
    return duration(one.duration_us), f"{one.turns} turn{'' if one.turns == 1 else 's'}"


def _told(one: Kept) -> Text:
    match one.state:
        case State.WHOLE:
            return Text(one_line(one.first))
        case State.UNFINISHED:
            return Text("(not ended) ", "dim").append(one_line(one.first or one.problem))
        case State.DAMAGED:
            return Text(f"(damaged) {one_line(one.problem)}", "dim")
        case State.FOREIGN:
            return Text(f"(no recording) {one_line(one.problem)}", "dim")


def title_lines(one: Kept, width: int, *, colour: bool = False) -> list[str]:
    """The id; below it when, how long and what with."""
    facts = [
        one.started.replace("T", " ").replace("Z", " UTC"),
        duration(one.duration_us),
        f"{one.interruptions} interrupted" if one.interruptions else "",
        one.model,
        f"goes on with {one.resumed}" if one.resumed else "",
        f"without its {' and '.join(one.redacted)}" if one.redacted else "",
        "not ended" if one.state is State.UNFINISHED else "",
    ]
    told = ", ".join(one_line(fact) for fact in facts if fact)
    return _drawn([Text(one_line(one.id), "bold"), Text(told)], width, colour=colour)


def show_lines(told: Transcript, width: int, *, colour: bool = False) -> list[str]:
    """The conversation: when, who, and what was heard; what was cut off is struck, or stands in brackets."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(width // 3, 12) if width else None)
    table.add_column(overflow="fold")
    conversation = 0
    for entry in told.entries:
        if entry.conversation != conversation:
            conversation = entry.conversation
            table.add_row("", "", Text("– a new conversation –", "dim"))
        if isinstance(entry, ToolCall):
            name = Text(one_line(entry.name), "dim")
        else:
            name = Text(NAMES[entry.role], _COLOURS[entry.role])
        table.add_row(duration(entry.began_us), name, _words(entry, colour=colour))
    return _drawn([table], width, colour=colour)


def _words(entry: Entry, *, colour: bool) -> Text:
    if isinstance(entry, ToolCall):
        output = "…" if entry.output is None else one_line(entry.output)
        return Text(f"{one_line(entry.arguments)} → {output}", "dim")
    text = Text(one_line(entry.text))
    unsaid = one_line(entry.unsaid)
    if entry.cut and colour and unsaid:
        text.append(" ").append(unsaid, "dim strike")
    elif entry.cut:
        text.append(f" [interrupted; not heard: {unsaid}]" if unsaid else " [interrupted]", "dim")
    if not entry.over:
        text.append(" …", "dim")
    return text


def match_lines(matches: Iterable[Match], words: str, width: int, *, colour: bool = False) -> list[str]:
    """Lines in which `words` were found, below the id of each recording."""
    lines: list[RenderableType] = []
    id = None
    for match in matches:
        if match.id != id:
            id = match.id
            lines.append(_one(one_line(id), "bold"))
        who = NAMES.get(match.who, one_line(match.who))
        before = f"  {duration(match.began_us)}  {who}  "
        room = width - cell_len(before) if width else _ENDLESS
        text = Text(_around(one_line(match.text), words, room))
        for found in re.finditer(r"\S+", text.plain):
            if _is_found(found[0], words):
                text.stylize("bold", *found.span())
        lines.append(_one(before).append(text))
    return _drawn(lines, width, colour=colour)


def _around(text: str, words: str, room: int) -> str:
    """A long text from some words before the first one that was found."""
    found = next((word.start() for word in re.finditer(r"\S+", text) if _is_found(word[0], words)), 0)
    if cell_len(text) <= room or cell_len(text[:found]) <= room // 2:
        return text
    begin = text.rfind(" ", 0, max(found - room // 3, 0)) + 1
    return f"…{text[begin:]}" if begin else text


def _is_found(word: str, words: str) -> bool:
    return any(part.startswith(wanted) for wanted in words_of(words) for part in words_of(word))


def difference_lines(pairs: Iterable[Pair], width: int, *, colour: bool = False) -> list[str]:
    """Turns that are not alike, the first one first: `-` is as in the first recording, `+` in the second."""
    lines: list[RenderableType] = []
    for pair in pairs:
        if pair.alike:
            continue
        if pair.a is None or pair.b is None:
            sign, number, turn = ("-", pair.number_a, pair.a) if pair.a else ("+", pair.number_b, pair.b)
            assert turn is not None
            lines.append(_turn_title(f"{sign} turn {number}", turn, "is in this one alone"))
            continue
        same = pair.number_a == pair.number_b
        title = f"turn {pair.number_a}" if same else f"turn {pair.number_a}, and {pair.number_b}"
        lines.append(_turn_title(title, pair.a, ""))
        table = Table.grid(padding=(0, 1, 0, 0))
        for differing in pair.differing:
            table.add_row(
                "", differing.what, Text("-", "red"), Text(one_line(differing.a) or _NOTHING, "red")
            )
            table.add_row("", "", Text("+", "green"), Text(one_line(differing.b) or _NOTHING, "green"))
        lines.append(table)
    return _drawn(lines, width, colour=colour)


def _turn_title(title: str, turn: Turn, note: str) -> Text:
    said = f"“{one_line(turn.said)}”" if turn.said else "before anything was said"
    told = " ".join(filter(None, (f"{title} at {duration(turn.began_us)}", note, said)))
    return _one(told, "bold")


def _drawn(what: Iterable[RenderableType], width: int, *, colour: bool) -> list[str]:
    console = Console(
        file=StringIO(),
        width=width or _ENDLESS,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        for each in what:
            if isinstance(each, Text):  # `print` makes a new one of it, and keeps its words alone
                console.print(each, no_wrap=each.no_wrap, overflow=each.overflow)
            else:
                console.print(each)
    return [line.rstrip() for line in captured.get().splitlines()]
