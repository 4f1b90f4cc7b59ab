"""Settings that change in the middle of a conversation: instructions, voice, and who finds the user's turns.

Each is sent as a `session.update` of its own and counts once the server has accepted it. The next
conversation of this run begins with it.
"""

from __future__ import annotations

from collections.abc import Callable

from rtassist.dialogue import barge_in, turns
from rtassist.dialogue.effects import Notice, Prefer, Send, Show
from rtassist.dialogue.state import Conversation, Draft, Purpose, Update
from rtassist.protocol import (
    AudioConfig,
    AudioInput,
    AudioOutput,
    InputAudioBufferClear,
    SemanticVad,
    ServerVad,
    Session,
    TurnDetection,
)


def instructions(do: Draft, text: str) -> tuple[Session, Purpose]:
    return Session(type="realtime", instructions=text), Purpose.INSTRUCTIONS


def voice(do: Draft, name: str) -> tuple[Session, Purpose]:
    return Session(type="realtime", audio=AudioConfig(output=AudioOutput(voice=name))), Purpose.VOICE


def vad(do: Draft, who: str) -> tuple[Session, Purpose]:
    sound = AudioInput(turn_detection=_detection(do.state, who))
    return Session(type="realtime", audio=AudioConfig(input=sound)), Purpose.VAD


def _detection(state: Conversation, who: str) -> TurnDetection | None:
    """As it was agreed, where it is of that kind; else as the server has it by default."""
    agreed = _agreed_input(state)
    detection = agreed.turn_detection if agreed is not None else None
    by_itself = not state.terms.asks_itself
    match who:
        case "off":
            return None
        case "server" if isinstance(detection, ServerVad):
            return detection
        case "server":
            return ServerVad(create_response=by_itself, interrupt_response=by_itself)
        case _:
            return SemanticVad(create_response=by_itself, interrupt_response=by_itself)


def _agreed_input(state: Conversation) -> AudioInput | None:
    audio = state.terms.session.audio
    sound = audio.input if isinstance(audio, AudioConfig) else None
    return sound if isinstance(sound, AudioInput) else None


def instructions_now(state: Conversation) -> str:
    return state.changed.get("instructions") or _text(state.terms.session.instructions)


def voice_now(state: Conversation) -> str:
    audio = state.terms.session.audio
    output = audio.output if isinstance(audio, AudioConfig) else None
    agreed = output.voice if isinstance(output, AudioOutput) else ""
    return state.changed.get("voice") or _text(agreed)


def vad_now(state: Conversation) -> str:
    """server, semantic or off; empty in a conversation without a microphone."""
    agreed = _agreed_input(state)
    if agreed is None:
        return ""
    detection = agreed.turn_detection
    kind = "server" if isinstance(detection, ServerVad) else "semantic" if detection else "off"
    return state.changed.get("vad") or kind


def accepted(do: Draft, update: Update) -> None:
    """The server has answered the update."""
    name = update.purpose.value
    do.change(changed={**do.state.changed, name: update.value})
    do.ask(Prefer(name, update.value))
    ACCEPTED[update.purpose](do, update.value)


def _instructed(do: Draft, text: str) -> None:
    do.ask(Show(Notice(f"The assistant has new instructions: {turns.shortened(text)}")))


def _voiced(do: Draft, name: str) -> None:
    do.ask(Show(Notice(f"The assistant's voice is {name} now.")))


def _turns_found(do: Draft, who: str) -> None:
    """What was said up to now is no turn of either kind."""
    barge_in.broke_off(do)
    do.change(server_turns=who != "off", push_to_talk=who == "off", talk_held=False, uncommitted=0)
    do.ask(Send(InputAudioBufferClear(event_id=do.next_event_id())))
    told = {
        "off": "You end your turns yourself now: Enter begins and ends one.",
        "server": "The server finds the end of your turns now, by the silence behind them.",
        "semantic": "The server finds the end of your turns now, by what you say.",
    }[who]
    do.ask(Show(Notice(told)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


ACCEPTED: dict[Purpose, Callable[[Draft, str], None]] = {
    Purpose.INSTRUCTIONS: _instructed,
    Purpose.VOICE: _voiced,
    Purpose.VAD: _turns_found,
}
