"""What the model can take: how much of what was said another session is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rtassist.dialogue.state import Turn

BUDGET_TOKENS: Final = 8_000
"""A quarter of the smallest context window of a realtime model, 32,000, and some 45 minutes of talk."""
_BYTES_A_TOKEN: Final = 3
"""English has four (https://help.openai.com/en/articles/4936856), other scripts have fewer letters and more
bytes to a token; counted so, the estimate is rather too high."""
_TOKENS_A_LINE: Final = 4
"""What sets a message apart from the next."""


def tokens(text: str) -> int:
    """About so many tokens does a line take."""
    return len(text.encode(errors="replace")) // _BYTES_A_TOKEN + _TOKENS_A_LINE


def newest(turns: Sequence[Turn], budget_tokens: int = BUDGET_TOKENS) -> tuple[Turn, ...]:
    """The last lines that fit into the budget, oldest first."""
    kept: list[Turn] = []
    for turn in reversed(turns):
        budget_tokens -= tokens(turn.text)
        if budget_tokens < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))
