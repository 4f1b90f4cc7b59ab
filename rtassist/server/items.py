"""Items that a client makes: what is allowed, and how the server tells them back."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Container, Sequence
from typing import TypeVar

import pybase64
from attrs import evolve

from rtassist.protocol import (
    UNSET,
    AssistantContent,
    AssistantMessage,
    FunctionCall,
    FunctionCallOutput,
    Item,
    ItemReference,
    McpApprovalResponse,
    SystemContent,
    SystemMessage,
    UnknownItem,
    Unset,
    UserContent,
    UserMessage,
)
from rtassist.server import rules
from rtassist.server.formats import decoded
from rtassist.server.history import Held, without_sound
from rtassist.server.outside import Refused

Part = TypeVar("Part")

_FROM_CLIENTS = ("message", "function_call", "function_call_output")


def checked(item: Item, path: str, *, new_id: str, calls: Container[str]) -> Item:
    """`item` as the server tells it back: with an id, a status and every content part's type; sound still in
    it.

    `calls`: the call ids that an output may answer. Raises Refused.
    """
    rules.known_only(item, path)
    if isinstance(item, SystemMessage | UserMessage | AssistantMessage | FunctionCall | FunctionCallOutput):
        if isinstance(item.status, str):
            rules.one_of(item.status, ("completed", "incomplete", "in_progress"), f"{path}.status")
        if isinstance(item.id, str):
            rules.item_id(item.id, f"{path}.id")
        id = item.id or new_id
    match item:
        case SystemMessage():
            told = _each(item.content, path, _system)
            return evolve(item, content=told, id=id, status="completed", object=UNSET)
        case UserMessage():
            asked = _each(item.content, path, _user)
            return evolve(item, content=asked, id=id, status="completed", object=UNSET)
        case AssistantMessage():
            answered = _each(item.content, path, _assistant)
            return evolve(item, content=answered, id=id, status="completed", object=UNSET)
        case FunctionCall():
            if not item.call_id:
                raise rules.missing(f"{path}.call_id")
            rules.call_id(item.call_id, f"{path}.call_id")
            rules.present(item.arguments, f"{path}.arguments")
            return evolve(item, id=id, status="completed", object=UNSET)
        case FunctionCallOutput():
            rules.call_id(item.call_id, f"{path}.call_id")
            if item.call_id not in calls:
                raise Refused(
                    f"Tool call ID '{item.call_id}' not found in conversation.",
                    "invalid_tool_call_id",
                    f"{path}.call_id",
                )
            return evolve(item, id=id, status=UNSET, object=UNSET)
        case McpApprovalResponse():
            raise rules.invalid(
                item.approval_request_id,
                f"{path}.approval_request_id",
                "No approval was asked for under this id.",
            )
    raise _unfit(item, path)


def _unfit(item: Item, path: str) -> Refused:
    if isinstance(item, UnknownItem):
        if not item.type:
            return rules.missing(f"{path}.type")
        if item.type == "message":
            role = item.fields.get("role")
            if role is None:
                return rules.missing(f"{path}.role")
            return rules.invalid(
                role, f"{path}.role", "Supported values are: 'system', 'user', and 'assistant'."
            )
    if isinstance(item, ItemReference):
        return rules.invalid(item.type, f"{path}.type", "References are for the input of a response only.")
    return rules.invalid(
        item.type,
        f"{path}.type",
        f"Items that a client can create here are: {', '.join(_FROM_CLIENTS)}.",
    )


def _each(
    content: Sequence[Part] | Unset | None, path: str, check: Callable[[Part, str], Part]
) -> tuple[Part, ...]:
    if not content:
        raise rules.missing(f"{path}.content")
    return tuple(check(part, f"{path}.content[{index}]") for index, part in enumerate(content))


def _system(part: SystemContent, path: str) -> SystemContent:
    rules.one_of(part.type or "input_text", ("input_text",), f"{path}.type")
    rules.present(part.text, f"{path}.text")
    return evolve(part, type="input_text")


def _user(part: UserContent, path: str) -> UserContent:
    type = part.type or ("input_audio" if part.audio else "input_image" if part.image_url else "input_text")
    rules.one_of(type, ("input_text", "input_audio", "input_image"), f"{path}.type")
    if type == "input_text":
        rules.present(part.text, f"{path}.text")
        return evolve(part, type=type)
    if type == "input_audio":
        rules.present(part.audio, f"{path}.audio")
        return evolve(part, type=type, transcript=part.transcript or None)
    if not part.image_url:
        raise rules.missing(f"{path}.image_url")
    if not part.image_url.startswith(("data:image/png;base64,", "data:image/jpeg;base64,")):
        raise rules.invalid(
            part.image_url[:40], f"{path}.image_url", "Expected a data URI of a PNG or JPEG image."
        )
    if part.detail:
        rules.one_of(part.detail, ("auto", "low", "high"), f"{path}.detail")
    return evolve(part, type=type)


def _assistant(part: AssistantContent, path: str) -> AssistantContent:
    type = part.type or ("output_audio" if part.audio else "output_text")
    if type == "output_audio":
        raise Refused(
            "Assistant messages cannot be created with audio; give their text as 'output_text'.",
            "unsupported_content_type",
            f"{path}.type",
        )
    rules.one_of(type, ("output_text",), f"{path}.type")
    rules.present(part.text, f"{path}.text")
    return evolve(part, type=type)


def made(item: Item, path: str, *, new_id: str, calls: Container[str], format: str) -> tuple[Held, bytes]:
    """An item of a client's, ready for the conversation, and that of its sound (PCM16, 24 kHz) of which
    nobody has said what it says. `format` is the sound's in the item. Raises Refused."""
    checked_item = checked(item, path, new_id=new_id, calls=calls)
    if not isinstance(checked_item, UserMessage):
        return Held(item=checked_item), b""
    parts = [(i, part) for i, part in enumerate(checked_item.content or ()) if part.type == "input_audio"]
    pcm = decoded(b"".join(_sound(part, f"{path}.content[{i}]") for i, part in parts), format)
    held = Held(item=without_sound(checked_item))
    held.add_sound(pcm)
    return held, pcm if any(not part.transcript for _, part in parts) else b""


def _sound(part: UserContent, path: str) -> bytes:
    try:
        return pybase64.b64decode(part.audio or "", validate=True)
    except (binascii.Error, ValueError):
        raise rules.invalid("…", f"{path}.audio", "Expected base64.") from None
