"""What the settings and the devices at hand mean for a conversation: its terms and its `session.update`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from rtassist.costs import FREE, Price, price_of
from rtassist.dialogue.spending import MICRO
from rtassist.dialogue.terms import Terms, Turn
from rtassist.protocol import (
    UNSET,
    AudioConfig,
    AudioFormat,
    AudioInput,
    AudioOutput,
    FunctionTool,
    McpTool,
    RetentionRatio,
    SemanticVad,
    ServerVad,
    Session,
    Transcription,
    Unset,
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
    tools: tuple[FunctionTool | McpTool, ...],
    *,
    asks: tuple[str, ...] = (),
    cancels: tuple[str, ...] = (),
    voiced: bool,
    microphone: bool,
    microphone_ends: bool,
    keyboard: bool,
    greeting: str,
    history: tuple[Turn, ...] = (),
    microphone_there: bool = True,
    speaker_there: bool = True,
    truncates: bool = True,
    spent_usd: Decimal = Decimal(0),
    lasted_ms: int = 0,
) -> Terms:
    """The terms of a conversation with these devices. Without a loudspeaker answers are text.

    A microphone and a loudspeaker that are not `there` yet may still come. `spent_usd`, `lasted_ms`: what
    earlier conversations of the same run have used of its limits.
    """
    model = model_of(settings)
    minutes = settings.max_minutes
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
        truncation=_truncation(settings.truncation),
    )
    return Terms(
        session=session,
        voiced=voiced,
        speaker=speaker_there,
        server_turns=server_turns,
        interrupts=settings.barge_in == "instant",
        barge_in=settings.barge_in,
        ducks=settings.duck and voiced and microphone and not microphone_ends and settings.barge_in != "off",
        push_to_talk=microphone and not server_turns,
        microphone=microphone and microphone_there,
        microphone_awaited=microphone and not microphone_there,
        microphone_ends=microphone_ends,
        keyboard=keyboard,
        trailing_silence_ms=silence_ms + SPARE_MS,
        language=settings.language or "",
        spoken_commands=settings.spoken_commands,
        phrases=settings.phrases,
        greeting=greeting,
        history=history,
        reconnects=True,
        truncates=truncates,
        model=model,
        price=_price(settings, model),
        transcription_price=_price(settings, settings.transcription_model),
        max_cost_microusd=round((settings.max_cost or 0) * MICRO),
        spent_microusd=round(spent_usd * MICRO),
        max_length_ms=0 if minutes is None else max(round(minutes * 60_000) - lasted_ms, 1),
        asks=asks,
        cancels=cancels,
        shows_calls=True,
    )


def model_of(settings: Settings) -> str:
    """The model that is asked for: one that stands in the URL goes over the setting."""
    named = parse_qs(urlsplit(settings.url).query).get("model", [])
    return named[0] if named and not settings.embedded else settings.model


def _price(settings: Settings, model: str) -> Price | None:
    """The list's, or one's own over it. Our own server costs nothing, unless it asks others."""
    if settings.embedded and model not in settings.prices:
        asks = settings.llm_url or settings.stt_url or settings.tts_url
        return None if asks else FREE
    return price_of(model, settings.prices)


def _truncation(setting: str | None) -> str | RetentionRatio | Unset:
    """What the server does when the conversation outgrows the model's context."""
    if setting is None:
        return UNSET
    if setting in ("auto", "disabled"):
        return setting
    return RetentionRatio(retention_ratio=float(setting))


def _silence_ms(settings: Settings) -> int:
    return DEFAULT_SILENCE_MS if settings.vad_silence_ms is None else settings.vad_silence_ms


def _input(settings: Settings, server_turns: bool) -> AudioInput:
    turn_detection: ServerVad | SemanticVad | None = None
    # OpenAI's reference: with `interrupt_response` false, the response that `create_response` asks for "may
    # fail … if the model is already responding". So whoever is not interrupted is answered at our request.
    automatic = settings.barge_in == "instant"
    if server_turns and settings.vad == "semantic":
        turn_detection = SemanticVad(create_response=automatic, interrupt_response=automatic)
    elif server_turns:
        turn_detection = ServerVad(
            threshold=UNSET if settings.vad_threshold is None else settings.vad_threshold,
            silence_duration_ms=_silence_ms(settings),
            create_response=automatic,
            interrupt_response=automatic,
        )
    return AudioInput(
        format=PCM,
        transcription=Transcription(
            model=settings.transcription_model,
            language=UNSET if settings.language is None else settings.language,
        ),
        turn_detection=turn_detection,
    )
