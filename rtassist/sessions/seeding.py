"""What a new conversation is told of an old one: the lines as they were heard, the newest within a budget."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rtassist.dialogue.state import Turn
from rtassist.sessions.transcript import Transcript, one_line

BUDGET_TOKENS: Final = 8_000
"""A quarter of the smallest context window of a realtime model, 32,000, and some 45 minutes of talk."""
_BYTES_A_TOKEN: Final = 3
"""English has four (https://help.openai.com/en/articles/4936856), other scripts have fewer letters and more
bytes to a token; counted so, the estimate is rather too high."""
_TOKENS_A_LINE: Final = 4
"""What sets a message apart from the next."""


def history(told: Transcript, budget_tokens: int = BUDGET_TOKENS) -> tuple[Turn, ...]:
    """The lines of the last conversation in a recording, behind those that it had been told itself.

    What the interruption of a line cut off is not in it, and lines of which nothing was heard are left out.
    """
    last = max((line.conversation for line in told.lines), default=-1)
    earlier = told.earlier if last == told.conversations - 1 else ()
    turns = [
        *(Turn(turn.role, _lawful(turn.text), turn.cut) for turn in earlier),
        *(Turn(line.role, _lawful(line.text), line.cut) for line in told.lines if line.conversation == last),
    ]
    return newest(turns, budget_tokens)


def newest(turns: Iterable[Turn], budget_tokens: int = BUDGET_TOKENS) -> tuple[Turn, ...]:
    """The last lines of which anything was heard, as many as the budget allows."""
    turns = tuple(turns)
    kept: list[Turn] = []
    for turn in reversed([turn for turn in turns if turn.text]):
        budget_tokens -= tokens(turn.text)
        if budget_tokens < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


def tokens(text: str) -> int:
    """About so many tokens does a line take."""
    return len(text.encode()) // _BYTES_A_TOKEN + _TOKENS_A_LINE


def _lawful(text: str) -> str:
    return one_line(text.encode(errors="replace").decode())
