"""What a new conversation is told of an old one: the lines as they were heard, the newest within a budget."""

from __future__ import annotations

from rtassist.dialogue import limits
from rtassist.dialogue.terms import Turn
from rtassist.sessions.transcript import Transcript, one_line


def history(told: Transcript, budget_tokens: int = limits.BUDGET_TOKENS) -> tuple[Turn, ...]:
    """The lines of the last conversation in a recording, behind those that it had been told itself.

    What the interruption of a line cut off is not in it, and lines of which nothing was heard are left out.
    """
    last = max((line.conversation for line in told.lines), default=-1)
    earlier = told.earlier if last == told.conversations - 1 else ()
    turns = [
        *(Turn(turn.role, _lawful(turn.text), turn.cut) for turn in earlier),
        *(Turn(line.role, _lawful(line.text), line.cut) for line in told.lines if line.conversation == last),
    ]
    return limits.newest([turn for turn in turns if turn.text], budget_tokens)


def _lawful(text: str) -> str:
    return one_line(text.encode(errors="replace").decode())
