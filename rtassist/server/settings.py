"""What is in force in a session: how it begins, and how `session.update` merges into it.

Absent keeps a value and null clears it. An update that breaks one rule changes nothing.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import attrs
from attrs import evolve

from rtassist.protocol import (
    UNSET,
    AnySession,
    AudioConfig,
    AudioFormat,
    AudioInput,
    AudioOutput,
    McpTool,
    NoiseReduction,
    ResponseParams,
    RetentionRatio,
    SemanticVad,
    ServerVad,
    Session,
    Transcription,
    TranscriptionSession,
    UnknownTruncation,
    UnknownTurnDetection,
    Unset,
    VoiceId,
)
from rtassist.server import rules
from rtassist.server.formats import FORMATS
from rtassist.server.outside import Refused

T = TypeVar("T")
Effective = Session | TranscriptionSession

_PCM = AudioFormat(type="audio/pcm", rate=24_000)
# The defaults that gpt-realtime-2.1 shows in `session.created`.
_SERVER_VAD = ServerVad(
    threshold=0.5,
    prefix_padding_ms=300,
    silence_duration_ms=500,
    idle_timeout_ms=None,
    create_response=True,
    interrupt_response=True,
)
_SEMANTIC_VAD = SemanticVad(eagerness="auto", create_response=True, interrupt_response=True)
_TRANSCRIPTION = Transcription(model="gpt-4o-transcribe", language=None, prompt=None)
# Their transcription sessions are driven by the client's commits.
_NO_TURN_DETECTION = ("gpt-realtime-whisper", "gpt-live-transcribe")
_NOT_THE_CLIENTS = ("id", "object", "expires_at")
_INCLUDE = "item.input_audio_transcription.logprobs"


def realtime(*, id: str, model: str, instructions: str, expires_at: int) -> Session:
    """A conversation as it begins. `expires_at` in Unix seconds."""
    return Session(
        type="realtime",
        object="realtime.session",
        id=id,
        model=model,
        output_modalities=("audio",),
        instructions=instructions,
        tools=(),
        tool_choice="auto",
        max_output_tokens="inf",
        tracing=None,
        truncation="auto",
        prompt=None,
        expires_at=expires_at,
        audio=AudioConfig(
            input=AudioInput(
                format=_PCM, transcription=None, noise_reduction=None, turn_detection=_SERVER_VAD
            ),
            output=AudioOutput(format=_PCM, voice="marin", speed=1.0),
        ),
        include=None,
    )


def transcription(*, id: str, expires_at: int) -> TranscriptionSession:
    """A session that writes down what it hears, as it begins."""
    return TranscriptionSession(
        type="transcription",
        object="realtime.transcription_session",
        id=id,
        expires_at=expires_at,
        audio=AudioConfig(
            input=AudioInput(
                format=_PCM, transcription=_TRANSCRIPTION, noise_reduction=None, turn_detection=_SERVER_VAD
            )
        ),
        include=None,
    )


def updated(now: Effective, update: AnySession, *, voice_is_fixed: bool) -> Effective:
    """`now` with a client's `session` merged into it. `voice_is_fixed`: the assistant has been heard already.
    Raises Refused."""
    if not update.type:
        raise rules.missing("session.type")
    rules.one_of(update.type, ("realtime", "transcription"), "session.type")
    if update.type != now.type:
        raise Refused(
            f"Passing a {update.type} session update event to a {now.type} session is not allowed.",
            "invalid_parameter",
            "session.type",
        )
    rules.known_only(update, "session")
    for name in _NOT_THE_CLIENTS:
        if getattr(update, name, UNSET) is not UNSET:
            raise rules.unknown(f"session.{name}")
    if isinstance(update, Session) and isinstance(now, Session):
        return _realtime_updated(now, update, voice_is_fixed)
    assert isinstance(update, TranscriptionSession)
    assert isinstance(now, TranscriptionSession)
    return _transcription_updated(now, update)


def _realtime_updated(now: Session, update: Session, voice_is_fixed: bool) -> Session:
    if update.model and update.model != now.model:
        raise Refused(
            f"The model of a session cannot be changed. This one has '{now.model}': connect anew.",
            "invalid_parameter",
            "session.model",
        )
    if isinstance(update.truncation, str):
        rules.one_of(update.truncation, ("auto", "disabled"), "session.truncation")
    elif isinstance(update.truncation, UnknownTruncation):
        rules.one_of(update.truncation.type, ("retention_ratio",), "session.truncation.type")
    elif isinstance(update.truncation, RetentionRatio):
        rules.within(update.truncation.retention_ratio, 0, 1, "session.truncation.retention_ratio")
    if isinstance(update.tracing, str):
        rules.one_of(update.tracing, ("auto",), "session.tracing")
    _check_include(update.include)
    check_common(update, "session")
    began = realtime(id="", model="", instructions="", expires_at=0)
    merged = _over(
        now,
        update,
        cleared={
            name: getattr(began, name)
            for name in ("instructions", "tools", "tool_choice", "output_modalities", "max_output_tokens")
        }
        | {"truncation": "auto", "model": now.model, "audio": now.audio},
    )
    merged = evolve(merged, audio=_audio(now.audio, update.audio, transcribing=False))
    rules.tool_choice(merged.tool_choice, merged.tools or (), "session.tool_choice")
    if voice_is_fixed and output(merged.audio).voice != output(now.audio).voice:
        raise Refused(
            "Cannot update a conversation's voice if assistant audio is present.",
            "cannot_update_voice",
            "session.audio.output.voice",
        )
    return merged


def _transcription_updated(now: TranscriptionSession, update: TranscriptionSession) -> TranscriptionSession:
    _check_include(update.include)
    if update.audio and update.audio.output:
        raise rules.unknown("session.audio.output")
    merged = _over(now, update, cleared={"audio": now.audio})
    return evolve(merged, audio=_audio(now.audio, update.audio, transcribing=True))


def _check_include(include: object) -> None:
    for index, name in enumerate(include if isinstance(include, tuple) else ()):
        rules.one_of(name, (_INCLUDE,), f"session.include[{index}]")


def check_common(wanted: Session | ResponseParams, path: str) -> None:
    """What a session and a single response may both say."""
    if wanted.output_modalities:
        rules.modalities(wanted.output_modalities, f"{path}.output_modalities")
    elif wanted.output_modalities == ():
        raise rules.invalid(
            [], f"{path}.output_modalities", "Supported combinations are: ['text'] and ['audio']."
        )
    if isinstance(wanted.max_output_tokens, int | str):
        rules.max_output_tokens(wanted.max_output_tokens, f"{path}.max_output_tokens")
    if wanted.tools:
        rules.tools(wanted.tools, f"{path}.tools")
    if wanted.reasoning and isinstance(wanted.reasoning.effort, str):
        efforts = ("minimal", "low", "medium", "high", "xhigh")
        rules.one_of(wanted.reasoning.effort, efforts, f"{path}.reasoning.effort")


def _audio(
    now: AudioConfig | Unset | None, update: AudioConfig | Unset | None, *, transcribing: bool
) -> AudioConfig:
    assert now
    wanted = update or AudioConfig()
    heard, told = now.input or AudioInput(), wanted.input or AudioInput()
    transcription = _transcription(heard.transcription, told.transcription)
    turn_detection = _turn_detection(heard.turn_detection, told.turn_detection)
    if transcribing and transcription and transcription.model in _NO_TURN_DETECTION:
        if told.turn_detection:
            raise Refused(
                "Turn detection is not supported for this transcription model.",
                "invalid_parameter",
                "session.audio.input.turn_detection",
            )
        turn_detection = None
    input = AudioInput(
        format=merged_format(heard.format, told.format, "session.audio.input.format"),
        transcription=transcription,
        noise_reduction=_noise_reduction(heard.noise_reduction, told.noise_reduction),
        turn_detection=turn_detection,
    )
    if transcribing:
        return AudioConfig(input=input)
    return AudioConfig(input=input, output=_merged_output(output(now), wanted.output or AudioOutput()))


def _merged_output(now: AudioOutput, told: AudioOutput) -> AudioOutput:
    check_voice(told.voice, "session.audio.output.voice")
    if told.speed:
        rules.within(told.speed, 0.25, 1.5, "session.audio.output.speed")
    return AudioOutput(
        format=merged_format(now.format, told.format, "session.audio.output.format"),
        voice=now.voice if told.voice is UNSET else told.voice or "marin",
        speed=now.speed if told.speed is UNSET else (1.0 if told.speed is None else told.speed),
    )


def check_voice(voice: str | VoiceId | Unset | None, path: str) -> None:
    # Any name: what speaks may know voices of its own, and speaks an unknown one in its default.
    name = voice.id if isinstance(voice, VoiceId) else voice
    if isinstance(name, str) and not 1 <= len(name) <= 64:
        raise rules.invalid(name, path, "Expected 1 to 64 characters.")


def merged_format(now: Any, told: AudioFormat | Unset | None, path: str) -> AudioFormat:
    if told is UNSET:
        return cast(AudioFormat, now)
    if told is None:
        return _PCM
    rules.present(told.type, f"{path}.type")
    rules.one_of(told.type, FORMATS, f"{path}.type")
    if told.type != "audio/pcm":
        return AudioFormat(type=told.type)
    if told.rate:
        rules.one_of(str(told.rate), ("24000",), f"{path}.rate")
    return _PCM


def _transcription(now: Any, told: Transcription | Unset | None) -> Transcription | None:
    if not told:
        return cast("Transcription | None", now) if told is UNSET else None
    return _over(now or _TRANSCRIPTION, told, cleared={"model": _TRANSCRIPTION.model})


def _noise_reduction(now: Any, told: NoiseReduction | Unset | None) -> NoiseReduction | None:
    if not told:
        return cast("NoiseReduction | None", now) if told is UNSET else None
    path = "session.audio.input.noise_reduction"
    if told.type:
        rules.one_of(told.type, ("near_field", "far_field"), f"{path}.type")
    if told.strength:
        rules.within(told.strength, 0, 1, f"{path}.strength")
    return _over(now or NoiseReduction(type="near_field"), told, cleared={})


def _turn_detection(now: Any, told: object) -> ServerVad | SemanticVad | None:
    path = "session.audio.input.turn_detection"
    if told is UNSET:
        return cast("ServerVad | SemanticVad | None", now)
    if told is None:
        return None
    if isinstance(told, UnknownTurnDetection):
        if not told.type:
            raise rules.missing(f"{path}.type")
        rules.one_of(told.type, ("server_vad", "semantic_vad"), f"{path}.type")
    if isinstance(told, SemanticVad):
        if told.eagerness:
            rules.one_of(told.eagerness, ("low", "medium", "high", "auto"), f"{path}.eagerness")
        return _over(
            now if isinstance(now, SemanticVad) else _SEMANTIC_VAD, told, cleared=_values(_SEMANTIC_VAD)
        )
    assert isinstance(told, ServerVad)
    if isinstance(told.threshold, float | int):
        rules.within(told.threshold, 0, 1, f"{path}.threshold")
    # An hour is more than a session has; the real bounds are not published.
    for name, most in (("prefix_padding_ms", 10_000), ("silence_duration_ms", 10_000)):
        if isinstance(value := getattr(told, name), int):
            rules.within(value, 0, most, f"{path}.{name}")
    if isinstance(told.idle_timeout_ms, int):
        rules.within(told.idle_timeout_ms, 5_000, 30_000, f"{path}.idle_timeout_ms")
    return _over(now if isinstance(now, ServerVad) else _SERVER_VAD, told, cleared=_values(_SERVER_VAD))


def _over(now: T, told: T, *, cleared: dict[str, Any]) -> T:
    """`now` with what `told` has; null becomes the value in `cleared`, or stays null."""
    changes = {}
    for field in attrs.fields(cast(Any, type(told))):
        value = getattr(told, field.name)
        if value is not UNSET and field.name != "extras":
            changes[field.name] = cleared.get(field.name) if value is None else value
    return cast(T, evolve(cast(Any, now), **changes))


def _values(instance: Any) -> dict[str, Any]:
    return {field.name: getattr(instance, field.name) for field in attrs.fields(type(instance))}


def output(audio: AudioConfig | Unset | None) -> AudioOutput:
    assert audio
    assert audio.output
    return audio.output


def new_mcp_servers(before: Effective, after: Effective) -> list[str]:
    """The labels of the MCP servers that an update brought."""
    if not isinstance(before, Session) or not isinstance(after, Session):
        return []
    known = {tool.server_label for tool in before.tools or () if isinstance(tool, McpTool)}
    added = [tool.server_label for tool in after.tools or () if isinstance(tool, McpTool)]
    return [label for label in added if label not in known]


def audio_input(session: Effective) -> AudioInput:
    assert session.audio
    assert session.audio.input
    return session.audio.input
