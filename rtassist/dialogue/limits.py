"""What the model can take, and the server gives: the context, and how much may be used in a while."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from rtassist.costs import USUAL_RATE, TextRate, context_window
from rtassist.dialogue import budget
from rtassist.dialogue.connection import Limits, Rate
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Notice, SetAlarm, Show
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Turn
from rtassist.protocol import AssistantMessage, RateLimitsUpdated, Response

BUDGET_TOKENS: Final = 8_000
"""A quarter of the smallest context window of a realtime model, 32,000, and some 45 minutes of talk. For what
was said alone: instructions and tools take as much of a new session as they took of the old one."""
_TOKENS_A_LINE: Final = 4
"""What sets a message apart from the next."""

LIMIT_ALARM: Final = "limit"
USUAL_WAIT_US: Final = 10_000_000
"""Where the server does not say when it may be asked again."""
LONGEST_WAIT_US: Final = 120_000_000
LONG_WAIT_US: Final = 5_000_000
_LONGEST_RESET_S: Final = 1_000_000_000
"""A server may send any number, and not all of them are times."""
_AGAIN_IN: Final = re.compile(r"again in (?:(\d+)m)?(\d+(?:\.\d+)?)(ms|s)\b")
"""As OpenAI words it: "Please try again in 1.2s", "… in 850ms", "… in 1m3.5s"."""


def tokens(text: str, rate: TextRate = USUAL_RATE) -> int:
    """About so many does a line take."""
    return rate.estimate(text) + _TOKENS_A_LINE


def newest(
    lines: Sequence[Turn], budget_tokens: int = BUDGET_TOKENS, rate: TextRate = USUAL_RATE
) -> tuple[Turn, ...]:
    """The last lines that fit into the budget, oldest first."""
    kept: list[Turn] = []
    for turn in reversed(lines):
        budget_tokens -= tokens(turn.text, rate)
        if budget_tokens < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


def updated(do: Draft, event: RateLimitsUpdated) -> None:
    """The server tells what is left."""
    rates = []
    for rate in event.rate_limits:
        after_s = rate.reset_seconds
        resets_us = None
        if isinstance(after_s, int | float):
            resets_us = do.now_us + round(min(max(after_s, 0), _LONGEST_RESET_S) * 1_000_000)
        rates.append(
            Rate(
                name=rate.name or "",
                limit=rate.limit if isinstance(rate.limit, int) else None,
                remaining=rate.remaining if isinstance(rate.remaining, int) else None,
                resets_us=resets_us,
            )
        )
    _change(do, rates=tuple(rates))


def used(do: Draft, response: Response) -> None:
    """A response is done: all that was said until now is in its tokens, and its own words in those of text.

    What it read is no measure: instructions, tools and by some servers what was spoken are among it.
    """
    usage = response.usage
    if not usage:
        return
    if isinstance(usage.total_tokens, int):
        _change(do, context_tokens=usage.total_tokens)
    made = usage.output_token_details
    calls = any(not isinstance(item, AssistantMessage) for item in response.output or ())
    if made and isinstance(made.text_tokens, int) and response.status == "completed" and not calls:
        said = [u.transcript for u in do.state.utterances.values() if u.response_id == response.id]
        _change(do, text_rate=do.state.limits.text_rate.learnt("".join(said), made.text_tokens))


def fill(state: Conversation) -> float | None:
    """How full the model's context is, from 0 to 1; None where that is not known."""
    window = context_window(state.terms.model)
    used_tokens = state.limits.context_tokens
    return min(used_tokens / window, 1.0) if window and used_tokens else None


def told(state: Conversation, now_us: int) -> Iterator[str]:
    """What there is of both, for a person."""
    full, used_tokens = fill(state), state.limits.context_tokens
    if full is not None:
        window = context_window(state.terms.model)
        yield f"Context: {used_tokens:,} of {window:,} tokens ({full:.0%})."
    elif used_tokens:
        yield f"Context: {used_tokens:,} tokens."
    for rate in state.limits.rates:
        if rate.remaining is not None and rate.limit is not None:
            left_us = 0 if rate.resets_us is None else max(rate.resets_us - now_us, 0)
            again = f", all of them in {-(-left_us // 1_000_000)} s" if left_us else ""
            # What was left is told with each response; once the time is over, it is all of it.
            left = rate.remaining if left_us or rate.resets_us is None else rate.limit
            yield f"Left of the server's limit: {left:,} of {rate.limit:,} {rate.name or 'uses'}{again}."


def reached(do: Draft, response_id: str, message: str) -> None:
    """A response failed of a limit: it is asked for again when that is reset, once."""
    if do.state.asked_again:
        _failed_again(do, message)
        return
    wait_us = _wait_us(do.state.limits, do.now_us, message)
    do.change(asked_again=True)
    _change(do, retry_due=True, retry_say=_words_of(do, response_id))
    do.ask(SetAlarm(LIMIT_ALARM, do.now_us + wait_us))
    seconds = max(-(-wait_us // 1_000_000), 1)
    begins = f"The server's limit is reached. It is asked again in {seconds} s"
    if wait_us <= LONG_WAIT_US:
        do.ask(Show(Notice(f"{begins}. It said: {message}", "warning")))
        return
    budget.tell(
        do,
        f"{begins}; ask something else to go on sooner. It said: {message}",
        f"The server's limit is reached. I ask it again in {seconds} seconds.",
    )


def broke_down(do: Draft, response_id: str, message: str) -> None:
    """The server itself failed at a response: it is asked for again at once, and once.

    Not where some of it was heard or read: that stands, and would begin anew.
    """
    parts = [u for u in do.state.utterances.values() if u.response_id == response_id]
    if do.state.asked_again:
        _failed_again(do, message)
    elif any(part.handed or part.shown for part in parts):
        do.ask(Show(Notice(f"The answer broke off, for the server failed: {message}", "warning")))
    else:
        do.ask(Show(Notice(f"The answer failed and is asked for again: {message}", "debug")))
        _ask_again(do, _words_of(do, response_id))
        do.change(asked_again=True)


def _failed_again(do: Draft, message: str) -> None:
    do.ask(Show(Notice(f"The answer failed again: {message}", "warning")))


def _words_of(do: Draft, response_id: str) -> str:
    """Those that it was asked to say, if it was."""
    answer = do.state.answers.get(response_id)
    return answer.say if answer is not None else ""


def _ask_again(do: Draft, say: str) -> None:
    if say:
        do.change(say=do.state.say or say)
    else:
        do.change(wanted=True)


def _wait_us(limits: Limits, now_us: int, message: str) -> int:
    """As long as the server says, whatever number that is, but no longer than a person waits."""
    if told := _AGAIN_IN.search(message):
        minutes, number, unit = told.groups()
        seconds = float(number) / (1000 if unit == "ms" else 1) + 60 * float(minutes or 0)
        return round(min(seconds * 1_000_000, LONGEST_WAIT_US))
    spent = [rate.resets_us for rate in limits.rates if rate.remaining == 0 and rate.resets_us is not None]
    return min(max(max(spent) - now_us, 0), LONGEST_WAIT_US) if spent else USUAL_WAIT_US


def reset(do: Draft) -> None:
    """The limit is, and nothing else has been asked for that answers this as well."""
    if do.state.limits.retry_due:
        say = do.state.limits.retry_say
        _change(do, retry_due=False, retry_say="")
        _ask_again(do, say)


def _change(do: Draft, **changes: Any) -> None:
    do.change(limits=attrs.evolve(do.state.limits, **changes))
