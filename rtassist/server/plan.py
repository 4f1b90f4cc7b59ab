"""What one response goes by: `response.create` over the session's settings."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from rtassist.protocol import (
    UNSET,
    AudioConfig,
    AudioFormat,
    AudioOutput,
    Item,
    ResponseParams,
    Session,
    Tool,
    ToolChoiceFunction,
    ToolChoiceMcp,
    VoiceId,
)
from rtassist.server import rules
from rtassist.server.outside import Refused
from rtassist.server.settings import check_common, check_voice, merged_format, output


@frozen(kw_only=True)
class Plan:
    """All that one response goes by."""

    in_conversation: bool
    input: tuple[Item, ...] | None
    """None: the conversation."""
    instructions: str
    modality: str
    """`audio` or `text`."""
    format: AudioFormat
    voice: str | VoiceId
    speed: float
    tools: tuple[Tool, ...]
    tool_choice: str | ToolChoiceFunction | ToolChoiceMcp
    parallel_tool_calls: bool
    max_output_tokens: int | str
    metadata: Mapping[str, str] | None

    @property
    def voice_name(self) -> str:
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice

    @property
    def token_limit(self) -> float:
        return float("inf") if isinstance(self.max_output_tokens, str) else self.max_output_tokens

    @property
    def audio(self) -> AudioConfig:
        """As response objects show it."""
        return AudioConfig(output=AudioOutput(format=self.format, voice=self.voice_name))


def plan(
    session: Session, params: ResponseParams | None, *, conversation_id: str, voice_is_fixed: bool
) -> Plan:
    """What `response.create` asks for over what the session says; `input` is not checked. Raises Refused."""
    wanted = params or ResponseParams()
    rules.known_only(wanted, "response")
    check_common(wanted, "response")
    if wanted.conversation:
        rules.one_of(wanted.conversation, ("auto", "none", conversation_id), "response.conversation")
    if wanted.metadata:
        rules.metadata(wanted.metadata, "response.metadata")
    own = output(session.audio)
    told = (wanted.audio and wanted.audio.output) or AudioOutput()
    check_voice(told.voice, "response.audio.output.voice")
    if told.speed is not UNSET:
        raise rules.unknown("response.audio.output.speed")
    if voice_is_fixed and told.voice and told.voice != own.voice:
        raise Refused(
            "Cannot update a conversation's voice if assistant audio is present.",
            "cannot_update_voice",
            "response.audio.output.voice",
        )
    tools = session.tools if wanted.tools is UNSET else wanted.tools
    choice = rules.tool_choice(
        wanted.tool_choice or session.tool_choice or "auto", tools or (), "response.tool_choice"
    )
    parallel = (
        session.parallel_tool_calls if wanted.parallel_tool_calls is UNSET else wanted.parallel_tool_calls
    )
    return Plan(
        in_conversation=wanted.conversation != "none",
        input=wanted.input if isinstance(wanted.input, tuple) else None,
        instructions=wanted.instructions
        if isinstance(wanted.instructions, str)
        else session.instructions or "",
        modality=(wanted.output_modalities or session.output_modalities or ("audio",))[0],
        format=merged_format(own.format, told.format, "response.audio.output.format"),
        voice=told.voice or own.voice or "marin",
        speed=own.speed or 1.0,
        tools=() if choice == "none" else tools or (),
        tool_choice=choice,
        parallel_tool_calls=parallel is not False,
        max_output_tokens=wanted.max_output_tokens or session.max_output_tokens or "inf",
        metadata=wanted.metadata or None,
    )
