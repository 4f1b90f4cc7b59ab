"""What the doctor found, as lines for a person or as one JSON object for a program. Pure.

The JSON object, whose keys stay as they are as long as `format` does:

    format    1
    version   of rtassist
    ok        false when a check failed
    checks    a list of {id, state, summary, cure, values}; state: ok, warning, failed or skipped
    advice    a list of {setting, why}: what to say, set or install

`summary` and `cure` are sentences for people and may change; `values` is for programs. Their keys, by id:

    python        version, platform
    packages      versions (name → version or null)
    offline, aec  versions
    settings      –
    folders       data, config (paths)
    terminal      stdin, stdout (whether each is a terminal), columns, encoding, term, colour
    key           set, source
    endpoint      host, connected_ms
    embedded      hears, speaks
    sound         microphones, loudspeakers (how many), socket
    microphone    name, id, others (ids of such devices), level_dbfs, peak_dbfs,
                  worst_gap_ms, dropped_chunks
    loudspeaker   name, id, others, first_ms, ahead_ms, buffer_ms, reserve_ms (a period, and
                  how late a thread may be), stop_left_ms, underruns
    loopback      heard, total_ms, playback_ms (of a voice that begins), capture_ms, echo_db
    drift         ppm, within_ppm, tears
    cancellation  erle_db, echo_dbfs, left_dbfs
    stress        seconds, underruns, late_chunks, worst_gap_ms, lost_ms, dropped_chunks,
                  thread_late_ms, loop_late_ms, ended

A value that could not be measured is null; a check that was not made has no values.
"""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import asdict, field, frozen

FORMAT = 1
State = Literal["ok", "warning", "failed", "skipped"]
COLOURS: Mapping[State, str] = {"ok": "32", "warning": "33", "failed": "31", "skipped": "2"}
MARK_COLUMNS = max(map(len, COLOURS)) + 2
NARROWEST = 30
"""Columns of text beside the marks; on a narrower terminal lines are longer than it."""
UNIT = re.compile(r"(\d) (ms|s|min|dB|dBFS|ppm)\b")


@frozen(kw_only=True)
class Check:
    """One thing that was looked at. `cure`: what to do about it, empty where there is nothing to do."""

    id: str
    state: State
    summary: str
    cure: str = ""
    values: Mapping[str, object] = field(factory=dict)


@frozen(kw_only=True)
class Advice:
    """`setting`: what to say on the command line, set, or install."""

    setting: str
    why: str


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def failed(checks: Sequence[Check]) -> bool:
    return any(check.state == "failed" for check in checks)


def lines(check: Check, width: int, *, colour: bool) -> list[str]:
    """The check's mark and sentence, and its cure, wrapped between words at `width` columns."""
    mark = f"\x1b[{COLOURS[check.state]}m{check.state}\x1b[0m" if colour else check.state
    told = _wrapped(check.summary, width)
    told[0] = mark + " " * (MARK_COLUMNS - len(check.state)) + told[0].lstrip()
    return told + (_wrapped(f"Cure: {check.cure}", width) if check.cure else [])


def note(text: str, width: int) -> list[str]:
    """What is being done, beside the checks."""
    return _wrapped(text, width)


def conclusion(checks: Sequence[Check], advice: Sequence[Advice], width: int) -> list[str]:
    """The last lines: how it stands, and what is recommended."""
    counts = {
        word: sum(check.state == state for check in checks)
        for state, word in (("failed", "failure"), ("warning", "warning"))
    }
    wrong = [f"{count} {word}{'s' * (count != 1)}" for word, count in counts.items() if count]
    told = ["", f"{' and '.join(wrong)}." if wrong else "Nothing is wrong."]
    if advice:
        told.append("Recommended:")
    for piece in advice:
        told += textwrap.wrap(
            f"{piece.setting}: {piece.why}",
            max(width, NARROWEST),
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return told


def as_json(version: str, checks: Sequence[Check], advice: Sequence[Advice]) -> str:
    value = {
        "format": FORMAT,
        "version": version,
        "ok": not failed(checks),
        "checks": [asdict(check) for check in checks],
        "advice": [asdict(piece) for piece in advice],
    }
    return json.dumps(value, ensure_ascii=False, indent=2)


def first_sentence(message: str) -> tuple[str, str]:
    """What happened, and the rest of a failure's message, which says what to do. What stands in brackets or
    quotation marks does not end a sentence."""
    inside, quoted = 0, False
    for at, character in enumerate(message):
        inside += (character == "(") - (character == ")")
        quoted ^= character == '"'
        if character in ".?!" and not inside and not quoted and message[at + 1 : at + 2].isspace():
            return message[: at + 1], message[at + 1 :].strip()
    return message, ""


def _wrapped(text: str, width: int) -> list[str]:
    """A path or a device's id that is longer than the line stands in one whole, to be copied; a number is not
    parted from its unit."""
    indent = " " * MARK_COLUMNS
    told = textwrap.wrap(
        UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", text),
        max(width, NARROWEST + MARK_COLUMNS),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in told]
