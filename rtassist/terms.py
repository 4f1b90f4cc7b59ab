"""What the settings and the devices at hand mean for a conversation: its terms and its `session.update`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtassist.dialogue.state import Terms, Turn
from rtassist.protocol import (
    UNSET,
    AudioConfig,
    AudioFormat,
    AudioInput,
    AudioOutput,
    FunctionTool,
    SemanticVad,
    ServerVad,
    Session,
    Transcription,
)

if TYPE_CHECKING:
    from rtassist.settings import Settings

PCM = AudioFormat(type="audio/pcm", rate=24_000)
DEFAULT_SILENCE_MS = 500
"""What servers take when they are not told; OpenAI's models differ between 200 and 500."""
SLOWEST_SEMANTIC_MS = 8_000
"""OpenAI's semantic turn detection waits at most this long when it is not eager."""
SPARE_MS = 1_000
"""Silence beyond what ends a turn, for the detector's own delay."""


def terms_for(
    settings: Settings,
    tools: tuple[FunctionTool, ...],
    *,
    voiced: bool,
    microphone: bool,
    microphone_ends: bool,
    keyboard: bool,
    greeting: str,
    history: tuple[Turn, ...] = (),
    microphone_there: bool = True,
    speaker_there: bool = True,
) -> Terms:
    """The terms of a conversation with these devices. Without a loudspeaker answers are text.

    A microphone and a loudspeaker that are not `there` yet may still come.
    """
    server_turns = microphone and not settings.ptt and settings.vad != "off"
    silence_ms = SLOWEST_SEMANTIC_MS if settings.vad == "semantic" else _silence_ms(settings)
    session = Session(
        type="realtime",
        instructions=settings.instructions,
        output_modalities=("audio",) if voiced and speaker_there else ("text",),
        audio=AudioConfig(
            input=_input(settings, server_turns) if microphone else UNSET,
            output=AudioOutput(format=PCM, voice=settings.voice) if voiced else UNSET,
        )
        if microphone or voiced
        else UNSET,
        tools=tools,
        tool_choice="auto",
    )
    return Terms(
        session=session,
        voiced=voiced,
        speaker=speaker_there,
        server_turns=server_turns,
        ducks=settings.duck and voiced and server_turns and not microphone_ends,
        push_to_talk=microphone and not server_turns,
        microphone=microphone and microphone_there,
        microphone_ends=microphone_ends,
        keyboard=keyboard,
        trailing_silence_ms=silence_ms + SPARE_MS,
        language=settings.language or "en",
        greeting=greeting,
        history=history,
        reconnects=True,
    )


def _silence_ms(settings: Settings) -> int:
    return DEFAULT_SILENCE_MS if settings.vad_silence_ms is None else settings.vad_silence_ms


def _input(settings: Settings, server_turns: bool) -> AudioInput:
    turn_detection: ServerVad | SemanticVad | None = None
    if server_turns and settings.vad == "semantic":
        turn_detection = SemanticVad(create_response=True, interrupt_response=True)
    elif server_turns:
        turn_detection = ServerVad(
            threshold=UNSET if settings.vad_threshold is None else settings.vad_threshold,
            silence_duration_ms=_silence_ms(settings),
            create_response=True,
            interrupt_response=True,
        )
    return AudioInput(
        format=PCM,
        transcription=Transcription(
            model=settings.transcription_model,
            language=UNSET if settings.language is None else settings.language,
        ),
        turn_detection=turn_detection,
    )
