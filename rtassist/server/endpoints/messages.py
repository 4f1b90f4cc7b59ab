"""A conversation as the request of a chat completion (OpenAI's API reference, "Create chat completion")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from rtassist.protocol import (
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    FunctionTool,
    Item,
    McpTool,
    SystemMessage,
    ToolChoiceFunction,
    ToolChoiceMcp,
    UnknownTool,
    UserContent,
    UserMessage,
)
from rtassist.server.parts import Ask

Json = dict[str, Any]

_UNSURE = (
    "The user's last words were recognised with little confidence and may be wrong. If they make no sense, "
    "say what you heard and ask again."
)
_NOT_HEARD = "[The user said something that could not be heard.]"
_NO_RESULT = "[There is no result yet.]"


def request(ask: Ask, model: str) -> Json:
    """The body of a streamed request. MCP tools are left out, which only OpenAI's own server can call.

    Where the last words were not understood, no tools are offered: nothing may be done on their account.
    """
    instructions = ask.instructions if ask.understood else f"{ask.instructions}\n\n{_UNSURE}".strip()
    body: Json = {"model": model, "stream": True, "messages": messages(ask.items, instructions)}
    offered = tools(ask.tools) if ask.understood and ask.tool_choice != "none" else []
    if offered:
        body["tools"] = offered
        choice = tool_choice(ask.tool_choice)
        if choice != "auto":
            body["tool_choice"] = choice
    return body


def messages(items: Sequence[Item], instructions: str) -> list[Json]:
    """The history, oldest first, in the order that servers insist on: instructions first, the result of each
    function call right after the call, and no two messages of one speaker in a row.

    What has no text is left out, and so is a result without its call.
    """
    results = {item.call_id: item.output for item in items if isinstance(item, FunctionCallOutput)}
    made: list[Json] = [{"role": "system", "content": [_text(instructions)]}] if instructions else []
    for before, item in zip((None, *items), items, strict=False):
        if isinstance(item, FunctionCall):
            # Calls of one response belong to one message, the one that was said before them.
            joins = isinstance(before, FunctionCall | AssistantMessage) and made[-1:]
            if not joins or made[-1]["role"] != "assistant":
                made.append({"role": "assistant", "content": []})
            made[-1].setdefault("tool_calls", []).append(_call(item))
        elif isinstance(item, SystemMessage | UserMessage | AssistantMessage):
            content = _content(item)
            if not content:
                continue
            if made and made[-1]["role"] == item.role and "tool_calls" not in made[-1]:
                made[-1]["content"] += content
            else:
                made.append({"role": item.role, "content": content})
    return [after for message in made for after in (_plain(message), *_results(message, results))]


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _content(item: SystemMessage | UserMessage | AssistantMessage) -> list[Json]:
    if isinstance(item, UserMessage):
        return [part for content in item.content or () if (part := _user_part(content)) is not None]
    if isinstance(item, SystemMessage):
        text = "\n".join(part.text or "" for part in item.content or ())
    else:
        text = "".join(part.text or part.transcript or "" for part in item.content or ())
    return [_text(text)] if text.strip() else []


def _user_part(part: UserContent) -> Json | None:
    if part.image_url:
        image = {"url": part.image_url} | ({"detail": part.detail} if part.detail else {})
        return {"type": "image_url", "image_url": image}
    text = (part.text or part.transcript or "").strip()
    if not text and part.type == "input_audio":
        text = _NOT_HEARD
    return _text(text) if text else None


def _call(call: FunctionCall) -> Json:
    function = {"name": call.name, "arguments": _arguments(call.arguments or "")}
    return {"id": str(call.call_id), "type": "function", "function": function}


def _arguments(text: str) -> str:
    """Chat templates parse them, and an interrupted call's are cut short."""
    try:
        return text if isinstance(orjson.loads(text), dict) else "{}"
    except orjson.JSONDecodeError:
        return "{}"


def _plain(message: Json) -> Json:
    """Content as a string where it is all text: not every server reads lists."""
    content = message["content"]
    if all(part["type"] == "text" for part in content):
        content = "\n".join(part["text"] for part in content)
    return message | {"content": content or None}


def _results(message: Json, results: Mapping[str, str]) -> list[Json]:
    return [
        {
            "role": "tool",
            "tool_call_id": call["id"],
            "content": results.get(call["id"], _NO_RESULT),
        }
        for call in message.get("tool_calls", ())
    ]


def tools(offered: Sequence[FunctionTool | McpTool | UnknownTool]) -> list[Json]:
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "parameters": tool.parameters or {"type": "object", "properties": {}},
            }
            | ({"description": tool.description} if tool.description else {}),
        }
        for tool in offered
        if isinstance(tool, FunctionTool) and tool.name
    ]


def tool_choice(choice: str | ToolChoiceFunction | ToolChoiceMcp) -> str | Json:
    """`auto` for an MCP tool, since none is offered."""
    match choice:
        case str():
            return choice
        case ToolChoiceFunction(name=name):
            return {"type": "function", "function": {"name": name}}
    return "auto"
