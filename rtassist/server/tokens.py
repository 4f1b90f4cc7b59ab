"""How tokens are counted. Four characters of text are one; 100 ms of the user's voice are one, 50 ms of the
assistant's (the last two are OpenAI's, platform.openai.com/docs/guides/realtime-costs). Images count as none,
and nothing is cached."""

from __future__ import annotations

from collections.abc import Iterable

from rtassist.protocol import (
    AssistantMessage,
    CachedTokenDetails,
    FunctionCall,
    FunctionCallOutput,
    InputTokenDetails,
    OutputTokenDetails,
    SystemMessage,
    Usage,
    UserMessage,
)
from rtassist.server.history import Held
from rtassist.server.plan import Plan

TextAndAudio = tuple[int, int]


def text_tokens(text: object) -> int:
    return -(-len(text) // 4) if isinstance(text, str) else 0


def item_tokens(held: Held) -> TextAndAudio:
    item = held.item
    match item:
        case SystemMessage() | UserMessage():
            return sum(text_tokens(part.text) for part in item.content or ()), -(-held.ms // 100)
        case AssistantMessage() if held.has_sound:
            return 0, -(-held.ms // 50)
        case AssistantMessage():
            return sum(text_tokens(part.text) for part in item.content or ()), 0
        case FunctionCall():
            return text_tokens(item.name) + text_tokens(item.arguments), 0
        case FunctionCallOutput():
            return text_tokens(item.output), 0
    return 0, 0


def context_tokens(plan: Plan, context: Iterable[Held]) -> TextAndAudio:
    """What a response reads: instructions, tools with their schemas, and items."""
    counts = [item_tokens(held) for held in context]
    text = text_tokens(plan.instructions) + sum(_tool_tokens(tool) for tool in plan.tools)
    return text + sum(text for text, _ in counts), sum(audio for _, audio in counts)


def _tool_tokens(tool: object) -> int:
    values = (getattr(tool, name, None) for name in ("name", "description", "parameters", "server_label"))
    return sum(text_tokens(value if isinstance(value, str) else str(value)) for value in values if value)


def usage(read: TextAndAudio, made: TextAndAudio) -> Usage:
    return Usage(
        total_tokens=sum(read) + sum(made),
        input_tokens=sum(read),
        output_tokens=sum(made),
        input_token_details=InputTokenDetails(
            text_tokens=read[0],
            audio_tokens=read[1],
            image_tokens=0,
            cached_tokens=0,
            cached_tokens_details=CachedTokenDetails(text_tokens=0, audio_tokens=0, image_tokens=0),
        ),
        output_token_details=OutputTokenDetails(text_tokens=made[0], audio_tokens=made[1]),
    )
