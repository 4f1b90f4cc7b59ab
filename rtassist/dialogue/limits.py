"""What the model can take, and the server gives: the context, and how much may be used in a while."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import attrs

from rtassist.dialogue.connection import Limits, Rate
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Notice, SetAlarm, Show
from rtassist.dialogue.terms import Turn
from rtassist.protocol import RateLimitsUpdated, Usage

BUDGET_TOKENS: Final = 8_000
"""A quarter of the smallest context window of a realtime model, 32,000, and some 45 minutes of talk."""
_BYTES_A_TOKEN: Final = 3
"""English has four (https://help.openai.com/en/articles/4936856), other scripts have fewer letters and more
bytes to a token; counted so, the estimate is rather too high."""
_TOKENS_A_LINE: Final = 4
"""What sets a message apart from the next."""

LIMIT_ALARM: Final = "limit"
USUAL_WAIT_US: Final = 10_000_000
"""Where the server does not say when it may be asked again."""
LONGEST_WAIT_US: Final = 120_000_000
LONG_WAIT_US: Final = 5_000_000
_AGAIN_IN: Final = re.compile(r"again in (?:(\d+)m)?(\d+(?:\.\d+)?)(ms|s)\b")
"""As OpenAI words it: "Please try again in 1.2s", "… in 850ms", "… in 1m3.5s"."""


def tokens(text: str) -> int:
    """About so many tokens does a line take."""
    return len(text.encode(errors="replace")) // _BYTES_A_TOKEN + _TOKENS_A_LINE


def newest(lines: Sequence[Turn], budget_tokens: int = BUDGET_TOKENS) -> tuple[Turn, ...]:
    """The last lines that fit into the budget, oldest first."""
    kept: list[Turn] = []
    for turn in reversed(lines):
        budget_tokens -= tokens(turn.text)
        if budget_tokens < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


def updated(do: Draft, event: RateLimitsUpdated) -> None:
    """The server tells what is left."""
    rates = []
    for rate in event.rate_limits:
        after_s = rate.reset_seconds
        resets_us = do.now_us + round(after_s * 1_000_000) if isinstance(after_s, int | float) else None
        rates.append(
            Rate(
                name=rate.name or "",
                limit=rate.limit if isinstance(rate.limit, int) else None,
                remaining=rate.remaining if isinstance(rate.remaining, int) else None,
                resets_us=resets_us,
            )
        )
    _change(do, rates=tuple(rates))


def used(do: Draft, usage: Usage) -> None:
    """A response is done: all that was said until now is in its tokens."""
    if isinstance(usage.total_tokens, int):
        _change(do, context_tokens=usage.total_tokens)


def fill(limits: Limits, window: int) -> float:
    """How full a model's context of `window` tokens is, from 0 to 1."""
    return min(limits.context_tokens / window, 1.0)


def reached(do: Draft, message: str) -> None:
    """A response failed of a limit: it is asked for again when that is reset, once."""
    if do.state.asked_again:
        do.ask(Show(Notice(f"The answer failed again: {message}", "warning")))
        return
    wait_us = min(_wait_us(do.state.limits, do.now_us, message), LONGEST_WAIT_US)
    do.change(asked_again=True)
    _change(do, retry_due=True)
    do.ask(SetAlarm(LIMIT_ALARM, do.now_us + wait_us))
    seconds = max(1, round(wait_us / 1_000_000))
    long = " That takes a while; ask something else to go on sooner." if wait_us > LONG_WAIT_US else ""
    text = f"The server's limit is reached: {message.rstrip('.')}. It is asked again in {seconds} s.{long}"
    do.ask(Show(Notice(text, "warning")))


def _wait_us(limits: Limits, now_us: int, message: str) -> int:
    if told := _AGAIN_IN.search(message):
        minutes, number, unit = told.groups()
        seconds = float(number) / (1000 if unit == "ms" else 1) + 60 * int(minutes or 0)
        return round(seconds * 1_000_000)
    spent = [rate.resets_us for rate in limits.rates if rate.remaining == 0 and rate.resets_us is not None]
    return max(max(spent) - now_us, 0) if spent else USUAL_WAIT_US


def reset(do: Draft) -> None:
    """The limit is, and nobody has asked for anything else."""
    if do.state.limits.retry_due:
        _change(do, retry_due=False)
        do.change(wanted=True)


def _change(do: Draft, **changes: Any) -> None:
    do.change(limits=attrs.evolve(do.state.limits, **changes))
