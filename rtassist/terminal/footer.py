"""The two rows below the conversation: how it stands, and what is being typed. Pure."""

from __future__ import annotations

from attrs import frozen

from rtassist.dialogue.doing import Doing, Standing
from rtassist.dialogue.spending import dollars
from rtassist.terminal.editor import Editor, matches
from rtassist.terminal.sheet import Look
from rtassist.terminal.widths import Row, clipped, clusters, width

PROMPT = "> "
FAINT_DBFS, FULL_DBFS = -54.0, -6.0
"""An empty and a full meter: the noise of a room, and a voice that soon clips."""
NEARLY_FULL = 0.5
"""From here on it is worth a place: what is forgotten next is what was said first."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_COLOURS: dict[Doing, str] = {
    Doing.LISTENING: "32",
    Doing.HEARING: "1;32",
    Doing.SPEAKING: "36",
    Doing.WRITING: "36",
    Doing.MUTED: "31",
    Doing.PAUSED: "31",
}
_WORD_COLUMNS = len(Doing.HEARING.value)
"""Of the longest word that comes and goes; while it connects again, what is behind it may move."""


@frozen
class Piece:
    """A part of the status row. The most `needed` (0) is the last to go where there is no room."""

    needed: int
    text: str
    sgr: str = ""
    columns: int = 0
    """It is never narrower, so that what stands behind it keeps its place."""


def status(standing: Standing, look: Look, columns: int, *, session: str = "") -> Row:
    """How it stands, in as much as there is room for."""
    cells = 3 if columns < 60 or look.compact else 5
    pieces = [
        Piece(0, _doing(standing.doing, look), "", _WORD_COLUMNS + 2),
        *_meters(standing, look, cells, named=columns >= 60 and not look.compact),
        Piece(3, _time(standing.elapsed_s), "2", 5),
    ]
    if standing.latency_ms is not None:
        pieces.append(Piece(5, _latency(standing.latency_ms), "2"))
    if standing.tokens is not None:
        pieces.append(Piece(6, f"{standing.tokens:,} tokens", "2"))
    if standing.cost_usd is not None:
        pieces.append(Piece(4, dollars(standing.cost_usd), "2"))
    if standing.context is not None and standing.context >= NEARLY_FULL:
        pieces.append(Piece(4, f"context {standing.context:.0%}", "2"))
    if session and not look.compact:
        pieces.append(Piece(7, session, "2"))
    return _joined(pieces, look, columns)


def entry(editor: Editor, look: Look, columns: int) -> tuple[Row, int]:
    """The line that is being typed, with what would complete it, and the column of the cursor.

    Of a line that is too long the part around the cursor is shown.
    """
    room = max(1, columns - len(PROMPT) - 1)  # behind the last character stands the cursor
    feed = "↵" if look.unicode else "~"
    before = editor.text[: editor.cursor].replace("\n", feed).replace("\t", " ")
    after = editor.text[editor.cursor :].replace("\n", feed).replace("\t", " ")
    if width(before) + width(after) > room:
        before = _last(before, max(room * 2 // 3, room - width(after)), look)
        after = clipped(after, room - width(before))
    shown, used = before + after, width(before) + width(after)
    hint = "  ".join(matches(editor)) if editor.text else ""
    hint = clipped(f"   {hint}", room - used) if hint and hint != editor.text else ""
    painted = f"\x1b[2m{hint}\x1b[0m" if hint.strip() else ""
    row = Row(
        f"\x1b[1m{PROMPT}\x1b[0m{shown}{painted}",
        len(PROMPT) + used + (width(hint) if painted else 0),
    )
    return row, min(len(PROMPT) + width(before), columns - 1)


def _last(text: str, room: int, look: Look) -> str:
    """As much of the end as fits, behind a mark that something is missing."""
    if width(text) <= room:
        return text
    mark = "…" if look.unicode else "<"
    kept, used = "", len(mark)
    for cluster in reversed(clusters(text[-2 * room :])):
        used += width(cluster)
        if used > room:
            break
        kept = cluster + kept
    return mark + kept


def _doing(doing: Doing, look: Look) -> str:
    dot = "●" if look.unicode else "*"
    sgr = _COLOURS.get(doing, "2") if look.colour else "1"
    return f"\x1b[{sgr}m{dot}\x1b[0m {doing.value}"


def _time(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def _latency(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _meters(standing: Standing, look: Look, cells: int, *, named: bool) -> list[Piece]:
    pieces = []
    if standing.mic_dbfs is not None:
        bar = _bar(standing.mic_dbfs, look, cells) if standing.microphone_on else "off".ljust(cells)
        pieces.append(Piece(1, f"mic {bar}" if named else bar))
    if standing.voice_dbfs is not None:
        bar = _bar(standing.voice_dbfs, look, cells)
        pieces.append(Piece(2, f"voice {bar}" if named else bar))
    return pieces


def _bar(dbfs: float, look: Look, cells: int) -> str:
    share = min(1.0, max(0.0, (dbfs - FAINT_DBFS) / (FULL_DBFS - FAINT_DBFS)))
    empty = "·" if look.unicode else "."
    if not look.unicode:
        return ("#" * round(share * cells)).ljust(cells, empty)
    eighths = round(share * cells * 8)
    return ("█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")).ljust(cells, empty)


def _joined(pieces: list[Piece], look: Look, columns: int) -> Row:
    """What fits with its distances, in the order in which it is given."""
    gap = 2
    kept: list[Piece] = []
    for piece in sorted(pieces, key=lambda each: each.needed):
        chosen = [*kept, piece]
        if kept and sum(_columns(each) for each in chosen) + gap * (len(chosen) - 1) > columns:
            break
        kept = chosen
    text, used = "", 0
    for piece in (each for each in pieces if each in kept):
        text += " " * gap if text else ""
        used += gap if used else 0
        text += f"\x1b[{piece.sgr}m{piece.text}\x1b[0m" if piece.sgr else piece.text
        padding = _columns(piece) - _visible(piece.text)
        text, used = text + " " * padding, used + _columns(piece)
    return Row(text.rstrip(" "), min(columns, used))


def _columns(piece: Piece) -> int:
    return max(piece.columns, _visible(piece.text))


def _visible(text: str) -> int:
    plain = text
    while "\x1b[" in plain:
        start = plain.index("\x1b[")
        plain = plain[:start] + plain[plain.index("m", start) + 1 :]
    return width(plain)
