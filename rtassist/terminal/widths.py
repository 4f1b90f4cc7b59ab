"""How many columns text takes in a terminal, what of it may reach one, and where it breaks into rows."""

from __future__ import annotations

import re

from attrs import frozen

_OBEYED = {**dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd"), ord("\r"): None}
"""What a terminal obeys and does not show, but for tab and line feed: a server could write escape sequences
that reach the clipboard, or wipe the screen."""
_NARROW = re.compile(r"[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u20ac\u2580-\u259f]*")
"""Latin letters and the typography of their languages: one column each, and not a reason to load a table of
all others (30 ms)."""
_TAB = "    "


@frozen
class Row:
    """One row of the terminal: what is written, escape sequences included, and the columns that it takes."""

    text: str = ""
    width: int = 0


@frozen
class Paint:
    """From `start` to `end` (characters) a text has these attributes: the numbers of an SGR sequence."""

    start: int
    end: int
    sgr: str


def harmless(text: str) -> str:
    return text.translate(_OBEYED)


def width(text: str) -> int:
    """Columns of a text that is `harmless` and has neither tabs nor line feeds."""
    if _NARROW.fullmatch(text):
        return len(text)
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def clusters(text: str) -> list[str]:
    """What a person takes for one character each: a letter with its accents, an emoji with its skin."""
    if _NARROW.fullmatch(text):
        return list(text)
    from wcwidth import iter_graphemes

    return list(iter_graphemes(text))


def clipped(text: str, columns: int) -> str:
    """As much of the beginning as fits."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for cluster in clusters(text):
        used += width(cluster)
        if used > columns:
            break
        kept += cluster
    return kept


def breaks(text: str, columns: int, indent: int = 0) -> list[tuple[int, int]]:
    """Where each row of `text` begins and ends when it is broken between words; the spaces in between belong
    to none. Rows but the first of each paragraph have `indent` columns less. A word that is longer than a row
    is broken where the row ends.

    More text at the end changes nothing but the last row.
    """
    rows: list[tuple[int, int]] = []
    start = end = used = 0
    room = columns
    for match in re.finditer(r"(\n)|([^\S\n]*)([^\s]+)", text):
        if match[1]:
            rows.append((start, end))
            start = end = match.end()
            used, room = 0, columns
            continue
        space, word = width(match[2].replace("\t", _TAB)), width(match[3])
        if end > start and used + space + word > room:
            rows.append((start, end))
            start, used, space = match.start(3), 0, 0
            room = max(1, columns - indent)
        used, end = used + space + word, match.end()
        while used > room:
            for cluster in _cut(text[start:end], room):
                rows.append((start, start + len(cluster)))
                start += len(cluster)
                break
            used, room = width(text[start:end]), max(1, columns - indent)
    return [*rows, (start, end)]


def _cut(text: str, room: int) -> list[str]:
    """What fits of a text that does not, and at least one cluster of it."""
    return [clipped(text, room) or clusters(text)[0]]


def painted(text: str, start: int, end: int, paints: tuple[Paint, ...]) -> str:
    """A piece of a text with its attributes, which end with it."""
    out, at = "", start
    for paint in paints:
        first, last = max(paint.start, at), min(paint.end, end)
        if first < last:
            out += text[at:first] + f"\x1b[{paint.sgr}m{text[first:last]}\x1b[0m"
            at = last
    return (out + text[at:end]).replace("\t", _TAB)


def rows(text: str, columns: int, *, indent: int = 0, paints: tuple[Paint, ...] = ()) -> list[Row]:
    """A text as rows, those behind the first of a paragraph indented."""
    made: list[Row] = []
    first = True
    for start, end in breaks(text, columns, indent):
        margin = "" if first else " " * min(indent, columns - 1)
        shown = text[start:end].replace("\t", _TAB)
        made.append(Row(margin + painted(text, start, end, paints), len(margin) + width(shown)))
        first = text[end : end + 1] == "\n"
    return made
