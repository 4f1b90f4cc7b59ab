"""A conversation as a document: Markdown, plain text, JSON, or subtitles for its sound."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from rtassist.sessions.repository import Kept
from rtassist.sessions.transcript import Entry, Line, ToolCall, Transcript, duration, one_line

_NAMES: Final = {"user": "You", "assistant": "Assistant"}
_SHORTEST_US: Final = 1_500_000
"""A subtitle stays for so long at least: what was typed takes no time."""


def values(kept: Kept) -> dict[str, Any]:
    """What is known of a recording, for programs. Times are µs."""
    return attrs.asdict(kept) | {"state": kept.state.value, "redacted": list(kept.redacted)}


def conversation_values(kept: Kept, told: Transcript) -> dict[str, Any]:
    """The same with the conversation. `kind` of an entry: `line` or `call`."""
    earlier = [{"role": turn.role, "text": turn.text} for turn in told.earlier]
    return values(kept) | {"earlier": earlier, "entries": [entry_values(entry) for entry in told.entries]}


def entry_values(entry: Entry) -> dict[str, Any]:
    return {"kind": "line" if isinstance(entry, Line) else "call"} | attrs.asdict(entry)


def as_json(kept: Kept, told: Transcript) -> str:
    return json.dumps(conversation_values(kept, told), ensure_ascii=False, indent=2) + "\n"


def as_text(kept: Kept, told: Transcript) -> str:
    """One line for each: `[0:03] You: …`."""
    lines = []
    for entry in told.entries:
        if isinstance(entry, ToolCall):
            lines.append(
                f"[{duration(entry.began_us)}] {entry.name}({entry.arguments}) → {entry.output or '…'}"
            )
            continue
        cut = f" [interrupted; not heard: {one_line(entry.unsaid)}]" if entry.cut else ""
        lines.append(f"[{duration(entry.began_us)}] {_NAMES[entry.role]}: {one_line(entry.text)}{cut}")
    return "".join(f"{one_line(line)}\n" for line in lines)


def as_markdown(kept: Kept, told: Transcript) -> str:
    """A paragraph for each line; what was cut off is struck."""
    started = kept.started.replace("T", " ").replace("Z", " UTC")
    facts = ", ".join(filter(None, (started, duration(kept.duration_us), _escaped(kept.model))))
    paragraphs = [f"# {_escaped(kept.id)}", facts]
    for entry in told.entries:
        if isinstance(entry, ToolCall):
            call = _code(f"{entry.name}({entry.arguments})")
            paragraphs.append(f"> {call} → {_code(entry.output or '…')}")
            continue
        text = _escaped(one_line(entry.text))
        unsaid = _escaped(one_line(entry.unsaid))
        cut = " *(interrupted)*" if entry.cut and not unsaid else f" ~~{unsaid}~~" if entry.cut else ""
        paragraphs.append(f"**{_NAMES[entry.role]}** ({duration(entry.began_us)}): {text}{cut}")
    return "\n\n".join(paragraphs) + "\n"


def as_subtitles(kept: Kept, told: Transcript) -> str:
    """SubRip: what was said and heard, on the recording's own timeline."""
    cues = []
    for number, line in enumerate(told.lines, 1):
        ended_us = max(line.ended_us, line.began_us + _SHORTEST_US)
        text = f"{_NAMES[line.role]}: {one_line(line.text)}{'—' if line.cut else ''}".replace("-->", "->")
        cues.append(f"{number}\n{_timecode(line.began_us)} --> {_timecode(ended_us)}\n{text}\n")
    return "\n".join(cues)


FORMATS: Final[Mapping[str, Callable[[Kept, Transcript], str]]] = {
    "md": as_markdown,
    "json": as_json,
    "txt": as_text,
    "srt": as_subtitles,
}


def _timecode(us: int) -> str:
    minutes, ms = divmod(us // 1000, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{ms // 1000:02d},{ms % 1000:03d}"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", text)


def _code(text: str) -> str:
    """A span of code, fenced by more backticks than stand in it."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{one_line(text)}{space}{fence}"
