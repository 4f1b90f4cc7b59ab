"""The tables of the protocol: type to class, old name to new one, tag to variant."""

from collections.abc import Mapping
from typing import Any, Final, get_args

import attrs

from rtassist.protocol import items, session, usage
from rtassist.protocol.client_events import ClientEvent
from rtassist.protocol.server_events import ServerEvent
from rtassist.protocol.translation_events import TranslationClientEvent, TranslationServerEvent


def _by_type(union: object) -> Mapping[str, type]:
    return {str(attrs.fields_dict(cls)["type"].default): cls for cls in get_args(union)}


SERVER: Final = _by_type(ServerEvent)
CLIENT: Final = _by_type(ClientEvent)
TRANSLATION_SERVER: Final = _by_type(TranslationServerEvent)
TRANSLATION_CLIENT: Final = _by_type(TranslationClientEvent)

ALIASES: Final[Mapping[str, str]] = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "transcription_session.update": "session.update",
    "transcription_session.created": "session.created",
    "transcription_session.updated": "session.updated",
}
"""Beta name → GA name. OpenAI dropped the beta in May 2026; many servers that speak Realtime have not.

`conversation.item.created` is missing on purpose: the GA types have it too, and so do we.
"""


@attrs.frozen(kw_only=True)
class Variants:
    """A union inside of an event, told apart by the field `tag`; a table inside `classes` looks at `role`.

    `absent` is the class of an object without the tag, where the published types allow that.
    """

    union: Any
    classes: Mapping[str, Any]
    unknown: type
    absent: type | None = None
    tag: str = "type"


_MESSAGES: Final = Variants(
    union=items.Message,
    tag="role",
    classes={"system": items.SystemMessage, "user": items.UserMessage, "assistant": items.AssistantMessage},
    unknown=items.UnknownItem,
)

VARIANTS: Final[tuple[Variants, ...]] = (
    Variants(
        union=items.Item,
        classes={
            "message": _MESSAGES,
            "function_call": items.FunctionCall,
            "function_call_output": items.FunctionCallOutput,
            "mcp_list_tools": items.McpListTools,
            "mcp_call": items.McpCall,
            "mcp_approval_request": items.McpApprovalRequest,
            "mcp_approval_response": items.McpApprovalResponse,
            "item_reference": items.ItemReference,
        },
        unknown=items.UnknownItem,
    ),
    Variants(
        union=items.McpError,
        classes={
            "protocol_error": items.McpProtocolError,
            "http_error": items.McpHttpError,
            "tool_execution_error": items.McpToolExecutionError,
        },
        unknown=items.UnknownMcpError,
    ),
    Variants(
        union=session.AnySession,
        classes={"realtime": session.Session, "transcription": session.TranscriptionSession},
        unknown=session.UnknownSession,
        absent=session.Session,
    ),
    Variants(
        union=session.TurnDetection,
        classes={"server_vad": session.ServerVad, "semantic_vad": session.SemanticVad},
        unknown=session.UnknownTurnDetection,
    ),
    Variants(
        union=session.Tool,
        classes={"function": session.FunctionTool, "mcp": session.McpTool},
        unknown=session.UnknownTool,
        absent=session.FunctionTool,
    ),
    Variants(
        union=session.ToolChoice,
        classes={"function": session.ToolChoiceFunction, "mcp": session.ToolChoiceMcp},
        unknown=session.UnknownToolChoice,
    ),
    Variants(
        union=session.Truncation,
        classes={"retention_ratio": session.RetentionRatio},
        unknown=session.UnknownTruncation,
    ),
    Variants(
        union=session.PromptVariable,
        classes={
            "input_text": session.PromptText,
            "input_image": session.PromptImage,
            "input_file": session.PromptFile,
        },
        unknown=session.UnknownPromptVariable,
    ),
    Variants(
        union=usage.TranscriptionUsage,
        classes={"tokens": usage.TokensUsage, "duration": usage.DurationUsage},
        unknown=usage.UnknownUsage,
    ),
)
