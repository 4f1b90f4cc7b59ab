"""What the stand-in remembers: read from the conversation's items each time, never kept."""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from rtassist.protocol import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    Item,
    SystemMessage,
    UserMessage,
)
from rtassist.server.stand_in.arithmetic import work_out
from rtassist.server.stand_in.phrases import understand


@frozen(kw_only=True)
class Past:
    said: str | None
    """The last thing that the user said, if it is what is to be answered."""
    said_before: str | None
    answered: str
    """What was last answered and heard; empty if nothing was."""
    result: Fraction | None
    """Of the last sum before this question."""
    call_output: tuple[str, str] | None
    """Name and output of the function call that is the last item."""
    notice: str | None
    """The system message that is the last item."""


def past_of(items: tuple[Item, ...]) -> Past:
    said = [text for item in items if isinstance(item, UserMessage) and (text := text_of(item)) is not None]
    answers = [text for item in items if isinstance(item, AssistantMessage) and (text := text_of(item))]
    last = items[-1] if items else None
    answers_user = isinstance(last, UserMessage)
    before = said[:-1] if answers_user else said
    return Past(
        said=said[-1] if answers_user and said else None,
        said_before=before[-1] if before else None,
        answered=answers[-1].strip() if answers else "",
        result=_result(before),
        call_output=_output(items, last) if isinstance(last, FunctionCallOutput) else None,
        notice=(text_of(last) or "") if isinstance(last, SystemMessage) else None,
    )


def text_of(item: UserMessage | AssistantMessage | SystemMessage) -> str | None:
    """The words of a message, written or transcribed; None if it has no content with words."""
    texts = [
        text
        for part in item.content or ()
        if isinstance(text := getattr(part, "text", None) or getattr(part, "transcript", None), str)
    ]
    return " ".join(texts) if texts else None


def _result(said: list[str]) -> Fraction | None:
    """Work out again what was asked before: sums build on each other."""
    result: Fraction | None = None
    for text in said:
        meaning = understand(text)
        if meaning is not None and meaning.intent == "arithmetic":
            value = work_out(meaning, result).value
            result = result if value is None else value
    return result


def _output(items: tuple[Item, ...], last: FunctionCallOutput) -> tuple[str, str]:
    calls = {item.call_id: item.name for item in items if isinstance(item, FunctionCall)}
    return calls.get(last.call_id, "The function"), last.output
