"""What the user types and presses: messages, commands, silence, and push-to-talk."""

from __future__ import annotations

from rtassist.dialogue import asking, commands, events, floor, obeying, questions, session, turns
from rtassist.dialogue.commands import Command, Order
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import LineEnded, Notice, Send, Show
from rtassist.dialogue.floor import Taker
from rtassist.dialogue.state import SAMPLES_PER_MS
from rtassist.dialogue.terms import Turn
from rtassist.protocol import (
    ConversationItemCreate,
    InputAudioBufferClear,
    InputAudioBufferCommit,
)

SHORTEST_COMMIT_SAMPLES = 100 * SAMPLES_PER_MS
"""The server refuses to commit less than 100 ms."""


def typed(do: Draft, event: events.Typed) -> None:
    text = event.text.strip()
    if not text:
        _enter(do)
        return
    if questions.typed(do, text):
        return
    order: Order | str | None
    if text.startswith("/"):
        order = commands.slash(text)
    else:
        command = commands.phrase(text, do.state.terms)
        order = Order(command) if command else None
    if isinstance(order, str):
        do.ask(Show(Notice(order, "reply")))
        return
    if order is None or order.command is Command.GOODBYE:
        _say(do, "goodbye" if text.startswith("/") else text)
    if order is not None:
        obeying.obey(do, order)


def _enter(do: Draft) -> None:
    """The bare Enter key: the end of a pause, push-to-talk's switch, or silence."""
    if do.state.paused and not do.state.push_to_talk:
        obeying.obey(do, Order(Command.RESUME))
    elif not do.state.push_to_talk or not do.state.microphone:
        obeying.interrupt(do)
    elif do.state.talk_held:
        talk_released(do, events.TalkReleased())
    else:
        talk_pressed(do, events.TalkPressed())


def _say(do: Draft, text: str) -> None:
    floor.take(do, Taker.USER_ACTED)
    event_id = do.next_event_id()
    do.ask(Show(LineEnded(event_id, "user", text, typed=True)))
    turns.keep(do, Turn("user", text))
    do.ask(Send(ConversationItemCreate(event_id=event_id, item=turns.as_item(Turn("user", text)))))
    asking.want_answer(do)


def typing_ended(do: Draft, event: events.TypingEnded) -> None:
    do.change(keyboard=False)
    session.nobody_left(do)


def talk_pressed(do: Draft, event: events.TalkPressed) -> None:
    state = do.state
    if state.talk_held or not state.microphone or not state.push_to_talk:
        return
    obeying.interrupt(do)
    do.change(talk_held=True, uncommitted=0, paused=False, muted=False)
    turns.says(do)
    do.ask(Send(InputAudioBufferClear(event_id=do.next_event_id())))
    do.ask(Show(Notice("Talk; the same key ends your turn.")))


def talk_released(do: Draft, event: events.TalkReleased | events.MicEnded) -> None:
    if not do.state.talk_held:
        return
    long_enough = do.state.uncommitted >= SHORTEST_COMMIT_SAMPLES
    do.change(talk_held=False, uncommitted=0)
    event_id = do.next_event_id()
    if long_enough:
        do.ask(Send(InputAudioBufferCommit(event_id=event_id)))
        asking.want_answer(do)
    else:
        do.ask(Send(InputAudioBufferClear(event_id=event_id)))
