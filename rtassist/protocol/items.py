"""What a conversation is made of: messages, function calls and their outputs, and what MCP servers said.

Every field that a server may leave out has the default UNSET. Audio inside an item stays base64 text.
"""

from typing import TypeAlias

from attrs import field, frozen

from rtassist.protocol.compared import compared
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Json, Unset


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class SystemContent:
    type: str | Unset | None = UNSET
    text: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UserContent:
    type: str | Unset | None = UNSET
    text: str | Unset | None = UNSET
    audio: str | Unset | None = UNSET
    transcript: str | Unset | None = UNSET
    image_url: str | Unset | None = UNSET
    detail: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class AssistantContent:
    """`type` is `output_text` or `output_audio`; beta servers say `text` or `audio`."""

    type: str | Unset | None = UNSET
    text: str | Unset | None = UNSET
    audio: str | Unset | None = UNSET
    transcript: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ContentPart:
    """The part of `response.content_part.*`, whose `type` is `text` or `audio` in every dialect."""

    type: str | Unset | None = UNSET
    text: str | Unset | None = UNSET
    audio: str | Unset | None = UNSET
    transcript: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class SystemMessage:
    type: str = "message"
    role: str = "system"
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    content: tuple[SystemContent, ...] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UserMessage:
    type: str = "message"
    role: str = "user"
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    content: tuple[UserContent, ...] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class AssistantMessage:
    """`phase` (`commentary`, `final_answer`) is on the wire of reasoning models and in no published type."""

    type: str = "message"
    role: str = "assistant"
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    phase: str | Unset | None = UNSET
    content: tuple[AssistantContent, ...] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class FunctionCall:
    """`arguments` is JSON text, and may be cut short where `status` is `incomplete`."""

    type: str = "function_call"
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    call_id: str | Unset | None = UNSET
    name: str
    arguments: str | Unset = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class FunctionCallOutput:
    type: str = "function_call_output"
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    status: str | Unset | None = UNSET
    call_id: str
    output: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpListedTool:
    name: str
    input_schema: Json
    description: str | Unset | None = UNSET
    annotations: Json = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpListTools:
    type: str = "mcp_list_tools"
    id: str | Unset | None = UNSET
    server_label: str
    tools: tuple[McpListedTool, ...] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpProtocolError:
    type: str = "protocol_error"
    code: int
    message: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpHttpError:
    type: str = "http_error"
    code: int
    message: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpToolExecutionError:
    type: str = "tool_execution_error"
    message: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownMcpError:
    """An MCP error of a kind that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


McpError: TypeAlias = McpProtocolError | McpHttpError | McpToolExecutionError | UnknownMcpError


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpCall:
    type: str = "mcp_call"
    id: str
    server_label: str
    name: str
    arguments: str
    approval_request_id: str | Unset | None = UNSET
    output: str | Unset | None = UNSET
    error: McpError | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpApprovalRequest:
    type: str = "mcp_approval_request"
    id: str
    server_label: str
    name: str
    arguments: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpApprovalResponse:
    type: str = "mcp_approval_response"
    id: str
    approval_request_id: str
    approve: bool
    reason: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ItemReference:
    """An item of the conversation by its id; only in the `input` of `response.create`."""

    type: str = "item_reference"
    id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownItem:
    """An item of a type or role that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage
Item: TypeAlias = (
    SystemMessage
    | UserMessage
    | AssistantMessage
    | FunctionCall
    | FunctionCallOutput
    | McpListTools
    | McpCall
    | McpApprovalRequest
    | McpApprovalResponse
    | ItemReference
    | UnknownItem
)
