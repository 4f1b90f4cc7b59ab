"""What a replay found, as lines for a person and as values for a program."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator
from typing import Any

from rtassist.sessions import notation
from rtassist.sessions.latency import Latency
from rtassist.sessions.replay import Difference, Moment
from rtassist.sessions.summary import Summary
from rtassist.sessions.transcript import duration

MARGIN = 4


def diff(difference: Difference, width: int = 80) -> list[str]:
    """The moment that differs and those before it. Each line begins with `  `, or with `- ` for what was
    recorded and is not asked for now, `+ ` for what is asked for now; only lines without a sign are cut.
    """
    lines = []
    for moment in difference.before:
        lines += [_cut(f"  {_event(moment)}", width)]
        lines += [_cut(f"      {effect(text)}", width) for text in moment.effects]
    lines += _wrapped("  ", _event(difference.at), width)
    old, new = list(difference.at.effects), list(difference.now)
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [_cut(f"      {effect(text)}", width) for text in old[a:b]]
            continue
        for sign, texts in (("-", old[a:b]), ("+", new[c:d])):
            for text in texts:
                lines += _wrapped(f"{sign}     ", effect(text), width)
    return lines


def effect(text: str) -> str:
    """`{"effect":"hush","item_id":"item_1"}` → `hush item_id=item_1`."""
    body = notation.parse(text.encode())
    if "client" in body:
        event = body["client"]
        return f"send {event.get('type')} {_fields(event)}".rstrip()
    return f"{body.get('effect')} {_fields(body)}".rstrip()


def _event(moment: Moment) -> str:
    where = f"{seconds(moment.us)}  line {moment.line}  "
    try:
        body = notation.parse(moment.event.encode())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return f"{where}server: {moment.event}"
    if "mic" in body:
        return f"{where}microphone: {body['mic']} samples"
    if "begin" in body:
        return f"{where}a conversation begins"
    if "event" in body:
        return f"{where}{body['event']} {_fields(body)}".rstrip()
    return f"{where}server: {body.get('type')} {_fields(body)}".rstrip()


def _fields(body: dict[str, Any]) -> str:
    """What is in it, without what it is called and what has no meaning."""
    skipped = ("type", "effect", "event", "obfuscation")
    return " ".join(f"{key}={_value(value)}" for key, value in body.items() if key not in skipped)


def _value(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and value and " " not in value and '"' not in value:
        return value
    return notation.text(value)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def _wrapped(sign: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=sign,
        subsequent_indent=sign + " " * MARGIN,
        break_on_hyphens=False,
    )


def seconds(us: int) -> str:
    return f"{us // 1_000_000}.{us // 1000 % 1000:03d} s"


def _ms(us: int | None) -> str:
    return "–" if us is None else f"{us / 1000:.0f}"


def summary(of: Summary, *, turns: bool = False) -> list[str]:
    """Two or three lines; with `turns` one more for each turn of the user that was answered."""
    talks = "" if of.conversations == 1 else f", {_count(of.conversations, 'conversation')}"
    length = f"{duration(of.duration_us)}{talks}, " if of.duration_us else ""
    lines = [
        f"{length}{_count(of.user_turns, 'turn')} of the user, "
        f"{of.assistant_turns} of the assistant, {_count(of.interruptions, 'interruption')}, "
        f"{_count(of.truncations, 'truncation')}, {_count(of.tool_calls, 'tool call')}",
    ]
    if of.tokens.total:
        cost = "cost unknown" if of.cost_usd is None else f"${of.cost_usd:.4f}"
        model = f" ({of.model})" if of.model else ""
        price = f"{cost}{model}" if of.cost_usd != 0 else "at no cost"
        lines.append(
            f"{of.tokens.input} tokens in ({of.tokens.cached} cached), {of.tokens.output} out; {price}"
        )
    if (median := of.median_us()) is not None:
        lines.append(
            f"from the end of a turn to the first sample: median {_ms(median)} ms, "
            f"worst {_ms(of.worst_us())} ms"
        )
    if turns and of.latencies:
        lines += list(_turns(of.latencies))
    return lines


def _turns(latencies: tuple[Latency, ...]) -> Iterator[str]:
    yield "turn ended at   ms until: committed  created  first audio  played"
    for turn in latencies:
        yield (
            f"{seconds(turn.at_us):>13}{_ms(turn.committed_us):>21}{_ms(turn.created_us):>9}"
            f"{_ms(turn.first_audio_us):>13}{_ms(turn.played_us):>8}"
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def values(of: Summary) -> dict[str, Any]:
    """For programs. Times are µs; `cost_usd` is a string with all digits, or null where it is unknown."""
    return {
        "started": of.started,
        "duration_us": of.duration_us,
        "conversations": of.conversations,
        "user_turns": of.user_turns,
        "assistant_turns": of.assistant_turns,
        "interruptions": of.interruptions,
        "truncations": of.truncations,
        "tool_calls": of.tool_calls,
        "tokens": {"input": of.tokens.input, "cached": of.tokens.cached, "output": of.tokens.output},
        "cost_usd": None if of.cost_usd is None else str(of.cost_usd),
        "model": of.model,
        "latency": {"median_us": of.median_us(), "worst_us": of.worst_us()},
        "turns": [
            {
                "at_us": turn.at_us,
                "committed_us": turn.committed_us,
                "created_us": turn.created_us,
                "first_audio_us": turn.first_audio_us,
                "played_us": turn.played_us,
            }
            for turn in of.latencies
        ],
        "whole": of.whole,
    }


def difference_values(difference: Difference) -> dict[str, Any]:
    """For programs: a difference, with events and effects as in the recording."""
    at = difference.at
    return {
        "line": at.line,
        "us": at.us,
        "event": _json(at.event),
        "recorded": [_json(text) for text in at.effects],
        "now": [_json(text) for text in difference.now],
        "before": [
            {
                "line": moment.line,
                "us": moment.us,
                "event": _json(moment.event),
                "effects": [_json(text) for text in moment.effects],
            }
            for moment in difference.before
        ],
    }


def _json(text: str) -> Any:
    try:
        return notation.parse(text.encode())
    except ValueError:
        return text
