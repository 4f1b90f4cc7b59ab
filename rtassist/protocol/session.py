"""How a session is configured: what a client asks for and what a server says is in force.

Absent keeps a setting and null clears it, in `session.update`; a server's answer is the whole configuration.
"""

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from rtassist.protocol.compared import compared
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Json, Unset


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class AudioFormat:
    """`audio/pcm` (16-bit little-endian mono, `rate` 24000), `audio/pcmu`, `audio/pcma` (G.711, 8 kHz)."""

    type: str | Unset | None = UNSET
    rate: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class NoiseReduction:
    type: str | Unset | None = UNSET
    strength: float | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class Transcription:
    model: str | Unset | None = UNSET
    language: str | Unset | None = UNSET
    languages: tuple[str, ...] | Unset | None = UNSET
    keywords: tuple[str, ...] | Unset | None = UNSET
    prompt: str | Unset | None = UNSET
    delay: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ServerVad:
    type: str = "server_vad"
    threshold: float | Unset | None = UNSET
    prefix_padding_ms: int | Unset | None = UNSET
    silence_duration_ms: int | Unset | None = UNSET
    idle_timeout_ms: int | Unset | None = UNSET
    create_response: bool | Unset | None = UNSET
    interrupt_response: bool | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class SemanticVad:
    type: str = "semantic_vad"
    eagerness: str | Unset | None = UNSET
    create_response: bool | Unset | None = UNSET
    interrupt_response: bool | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownTurnDetection:
    """Turn detection of a kind that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


TurnDetection: TypeAlias = ServerVad | SemanticVad | UnknownTurnDetection


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class AudioInput:
    format: AudioFormat | Unset | None = UNSET
    transcription: Transcription | Unset | None = UNSET
    noise_reduction: NoiseReduction | Unset | None = UNSET
    turn_detection: TurnDetection | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class VoiceId:
    """A custom voice."""

    id: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class AudioOutput:
    format: AudioFormat | Unset | None = UNSET
    voice: str | VoiceId | Unset | None = UNSET
    speed: float | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class AudioConfig:
    input: AudioInput | Unset | None = UNSET
    output: AudioOutput | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class FunctionTool:
    """`parameters` is a JSON schema."""

    type: str | Unset | None = "function"
    name: str | Unset | None = UNSET
    description: str | Unset | None = UNSET
    parameters: Json = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpToolFilter:
    tool_names: tuple[str, ...] | Unset | None = UNSET
    read_only: bool | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpApprovalFilter:
    """Which tools of an MCP server always need an approval, and which never do."""

    always: McpToolFilter | Unset | None = UNSET
    never: McpToolFilter | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class McpTool:
    """The tools of one MCP server, which the Realtime server calls by itself."""

    type: str = "mcp"
    server_label: str
    server_url: str | Unset | None = UNSET
    connector_id: str | Unset | None = UNSET
    tunnel_id: str | Unset | None = UNSET
    server_description: str | Unset | None = UNSET
    authorization: str | Unset | None = UNSET
    headers: Mapping[str, str] | Unset | None = UNSET
    allowed_tools: tuple[str, ...] | McpToolFilter | Unset | None = UNSET
    allowed_callers: tuple[str, ...] | Unset | None = UNSET
    require_approval: str | McpApprovalFilter | Unset | None = UNSET
    defer_loading: bool | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownTool:
    """A tool of a kind that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


Tool: TypeAlias = FunctionTool | McpTool | UnknownTool


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ToolChoiceFunction:
    type: str = "function"
    name: str
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class ToolChoiceMcp:
    type: str = "mcp"
    server_label: str
    name: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownToolChoice:
    """A choice of tool that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


ToolChoice: TypeAlias = ToolChoiceFunction | ToolChoiceMcp | UnknownToolChoice


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class Reasoning:
    effort: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TokenLimits:
    post_instructions: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class RetentionRatio:
    """How much of the conversation, 0 to 1, a truncation of the context keeps."""

    type: str = "retention_ratio"
    retention_ratio: float
    token_limits: TokenLimits | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownTruncation:
    """A truncation of the context that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


Truncation: TypeAlias = RetentionRatio | UnknownTruncation


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TracingConfig:
    workflow_name: str | Unset | None = UNSET
    group_id: str | Unset | None = UNSET
    metadata: Json = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class CacheBreakpoint:
    mode: str
    ttl: str | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class PromptText:
    type: str = "input_text"
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class PromptImage:
    type: str = "input_image"
    detail: str | Unset | None = UNSET
    file_id: str | Unset | None = UNSET
    image_url: str | Unset | None = UNSET
    prompt_cache_breakpoint: CacheBreakpoint | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class PromptFile:
    type: str = "input_file"
    detail: str | Unset | None = UNSET
    file_data: str | Unset | None = UNSET
    file_id: str | Unset | None = UNSET
    file_url: str | Unset | None = UNSET
    filename: str | Unset | None = UNSET
    prompt_cache_breakpoint: CacheBreakpoint | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownPromptVariable:
    """A variable of a prompt of a kind that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


PromptVariable: TypeAlias = PromptText | PromptImage | PromptFile | UnknownPromptVariable


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class Prompt:
    """A prompt that is stored at the server."""

    id: str
    version: str | Unset | None = UNSET
    variables: Mapping[str, str | PromptVariable] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class Session:
    """A conversation. `id`, `object` and `expires_at` (Unix seconds) come from the server only.

    `type` is absent at beta servers, whose flat fields (`voice`, `turn_detection`, …) are in `extras`.
    """

    type: str | Unset | None = "realtime"
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    expires_at: int | Unset | None = UNSET
    model: str | Unset | None = UNSET
    instructions: str | Unset | None = UNSET
    output_modalities: tuple[str, ...] | Unset | None = UNSET
    max_output_tokens: int | str | Unset | None = UNSET
    audio: AudioConfig | Unset | None = UNSET
    tools: tuple[Tool, ...] | Unset | None = UNSET
    tool_choice: str | ToolChoice | Unset | None = UNSET
    parallel_tool_calls: bool | Unset | None = UNSET
    reasoning: Reasoning | Unset | None = UNSET
    truncation: str | Truncation | Unset | None = UNSET
    include: tuple[str, ...] | Unset | None = UNSET
    prompt: Prompt | Unset | None = UNSET
    tracing: str | TracingConfig | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranscriptionSession:
    """A session that only writes down what it hears."""

    type: str | Unset | None = "transcription"
    id: str | Unset | None = UNSET
    object: str | Unset | None = UNSET
    expires_at: int | Unset | None = UNSET
    audio: AudioConfig | Unset | None = UNSET
    include: tuple[str, ...] | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownSession:
    """A session of a type that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


AnySession: TypeAlias = Session | TranscriptionSession | UnknownSession
