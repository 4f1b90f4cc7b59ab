"""Settings that change in the middle of a conversation: instructions, voice, and who finds the user's turns.

Each is sent as a `session.update` of its own and counts once the server has accepted it. The next
conversation of this run begins with it.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rtassist.dialogue import barge_in, budget, present, turns, unread
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Notice, Prefer, Show
from rtassist.dialogue.state import Purpose, Update
from rtassist.protocol import (
    AudioConfig,
    AudioInput,
    AudioOutput,
    SemanticVad,
    ServerVad,
    Session,
)


def instructions(do: Draft, text: str) -> tuple[Session, Purpose]:
    return Session(type="realtime", instructions=text), Purpose.INSTRUCTIONS


def voice(do: Draft, name: str) -> tuple[Session, Purpose]:
    return Session(type="realtime", audio=AudioConfig(output=AudioOutput(voice=name))), Purpose.VOICE


def vad(do: Draft, who: str) -> tuple[Session, Purpose]:
    """Once the budget is spent, the server is to answer nothing by itself, whoever finds the turns."""
    found = present.detection(do.state, who)
    if isinstance(found, ServerVad | SemanticVad) and budget.is_spent(do.state):
        found = attrs.evolve(found, create_response=False)
    sound = AudioInput(turn_detection=found)
    return Session(type="realtime", audio=AudioConfig(input=sound)), Purpose.VAD


def accepted(do: Draft, update: Update) -> None:
    """The server has answered the update."""
    name = update.purpose.value
    do.change(changed={**do.state.changed, name: update.value})
    do.ask(Prefer(name, update.value))
    ACCEPTED[update.purpose](do, update.value)


def _instructed(do: Draft, text: str) -> None:
    do.ask(Show(Notice(f"The assistant has new instructions: {turns.shortened(text)}", "reply")))


def _voiced(do: Draft, name: str) -> None:
    do.ask(Show(Notice(f"The assistant's voice is {name} now.", "reply")))


def _turns_found(do: Draft, who: str) -> None:
    """What was said up to now is no turn of either kind."""
    barge_in.broke_off(do)
    do.change(server_turns=who != "off", push_to_talk=who == "off", talk_held=False, uncommitted=0)
    unread.take_back(do)
    told = {
        "off": "You end your turns yourself now: Enter begins and ends one.",
        "server": "The server finds the end of your turns now, by the silence behind them.",
        "semantic": "The server finds the end of your turns now, by what you say.",
    }[who]
    do.ask(Show(Notice(told, "reply")))


CHANGES: dict[Purpose, Callable[[Draft, str], tuple[Session, Purpose]]] = {
    Purpose.INSTRUCTIONS: instructions,
    Purpose.VOICE: voice,
    Purpose.VAD: vad,
}
"""How the server is told."""
ACCEPTED: dict[Purpose, Callable[[Draft, str], None]] = {
    Purpose.INSTRUCTIONS: _instructed,
    Purpose.VOICE: _voiced,
    Purpose.VAD: _turns_found,
}
