"""The session's settings as they are now: those that were agreed on, and what `changes` made of them."""

from __future__ import annotations

from typing import TypeVar

import attrs

from rtassist.dialogue.state import Conversation, Purpose
from rtassist.protocol import (
    UNSET,
    AudioInput,
    AudioOutput,
    SemanticVad,
    ServerVad,
    Session,
    TurnDetection,
    Unset,
)

T = TypeVar("T")


def instructions(state: Conversation) -> str:
    return state.changed.get("instructions") or _text(state.terms.session.instructions)


def voice(state: Conversation) -> str:
    """Empty where answers are only written."""
    output = _output(state)
    return state.changed.get("voice") or _text(output.voice if output is not None else "")


def vad(state: Conversation) -> str:
    """server, semantic or off; empty in a conversation without a microphone."""
    agreed = _input(state)
    if agreed is None:
        return ""
    detection = agreed.turn_detection
    kind = "server" if isinstance(detection, ServerVad) else "semantic" if detection else "off"
    return state.changed.get("vad") or kind


def detection(state: Conversation, who: str) -> TurnDetection | None:
    """Of this kind: as it was agreed, where it is of it; else as the server has it by default."""
    agreed = _input(state)
    there = agreed.turn_detection if agreed is not None else None
    by_itself = not state.terms.asks_itself
    match who:
        case "off":
            return None
        case "server" if isinstance(there, ServerVad):
            return there
        case "semantic" if isinstance(there, SemanticVad):
            return there
        case "server":
            return ServerVad(create_response=by_itself, interrupt_response=by_itself)
        case _:
            return SemanticVad(create_response=by_itself, interrupt_response=by_itself)


def vad_asked_for(state: Conversation) -> str:
    """As `vad`, once the server has accepted all that is on its way."""
    asked = [update.value for update in state.updates if update.purpose is Purpose.VAD]
    return asked[-1] if asked else vad(state)


def session(state: Conversation) -> Session:
    """What another session of this conversation is to be like."""
    agreed = state.terms.session
    if "instructions" in state.changed:
        agreed = attrs.evolve(agreed, instructions=state.changed["instructions"])
    audio, output, heard = _given(agreed.audio), _output(state), _input(state)
    if audio is not None and output is not None and "voice" in state.changed:
        audio = attrs.evolve(audio, output=attrs.evolve(output, voice=state.changed["voice"]))
    if audio is not None and heard is not None and "vad" in state.changed:
        found = detection(state, state.changed["vad"])
        audio = attrs.evolve(audio, input=attrs.evolve(heard, turn_detection=found))
    return agreed if audio is None else attrs.evolve(agreed, audio=audio)


def _output(state: Conversation) -> AudioOutput | None:
    audio = _given(state.terms.session.audio)
    return None if audio is None else _given(audio.output)


def _input(state: Conversation) -> AudioInput | None:
    audio = _given(state.terms.session.audio)
    return None if audio is None else _given(audio.input)


def _given(value: T | Unset | None) -> T | None:
    return None if value is UNSET or isinstance(value, Unset) else value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
