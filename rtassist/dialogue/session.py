"""How a session begins and ends: the settings it agrees on, and when nobody will say more.

A microphone that is a file ends in the middle of things: the last words may still be on their way. So silence
follows it until the server must have found their end, then an update that changes nothing (the fence), whose
answer proves that the server has read all of it; and once nothing is outstanding the conversation is over.
"""

from __future__ import annotations

import attrs

from rtassist.dialogue import barge_in, budget, changes, limits, pictures, present, turns, unread
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import ClearAlarm, Notice, Quit, Send, SetAlarm, Show
from rtassist.dialogue.spending import Spending
from rtassist.dialogue.state import SAMPLES_PER_MS, Conversation, Ending, Purpose, Update
from rtassist.protocol import Session, SessionUpdate

BEGIN_ALARM = "begin"
BEGIN_WAIT_US = 15_000_000
SETTLE_ALARM = "settle"
SETTLE_US = 1_000_000
"""After the fence: a server that detects speech beside its event loop may still be about to say so."""
LAST_MINUTE_ALARM = "last minute"
TIME_ALARM = "time"
OUT_ALARM = "out"
LAST_MINUTE_US = 60_000_000
GRACE_US = 20_000_000
"""What is being said when the time is over may be said to its end, if that is not too far."""
FENCE_WAIT_US = 10_000_000
"""A server that never answers the fence has read everything by then, or is gone."""


def opened(do: Draft) -> None:
    """The server is there: tell it the terms, and whether there is a loudspeaker now."""
    state = do.state
    session = present.session(state)
    if state.voiced is not (state.terms.voiced and state.terms.speaker):
        session = attrs.evolve(session, output_modalities=("audio",) if state.voiced else ("text",))
    update(do, session, Purpose.BEGIN)
    do.ask(SetAlarm(BEGIN_ALARM, do.now_us + BEGIN_WAIT_US))


def update(do: Draft, session: Session, purpose: Purpose, value: str = "") -> str:
    """`value` of a setting counts once the server has accepted it; where there is none, the next one is asked
    for it. The event's id, or "" where none was sent."""
    if do.state.between and purpose is not Purpose.BEGIN:
        if purpose in changes.CHANGES:
            do.change(postponed=(*do.state.postponed, Update("", purpose, value)))
        return ""  # what else there is, the next session begins with
    event_id = do.next_event_id()
    do.change(updates=(*do.state.updates, Update(event_id, purpose, value)))
    do.ask(Send(SessionUpdate(event_id=event_id, session=session)))
    return event_id


def updated(do: Draft) -> Purpose | None:
    """The server answers an update, whose purpose this is: there is no id in it, only the order."""
    if not do.state.updates:
        return None
    answered = _oldest(do.state)
    do.change(updates=tuple(u for u in do.state.updates if u is not answered))
    unread.answered(do, answered.event_id)
    if answered.purpose is Purpose.FENCE:
        do.ask(SetAlarm(SETTLE_ALARM, do.now_us + SETTLE_US))
    elif answered.purpose in changes.ACCEPTED:
        changes.accepted(do, answered)
    return answered.purpose


def _oldest(state: Conversation) -> Update:
    """Of those that are not answered. A server may leave one that changes nothing unanswered for good: once
    nobody waits for it, it keeps no answer from a change behind it.
    """
    oldest = state.updates[0]
    if oldest.purpose is not Purpose.PROOF or oldest.event_id == state.unread:
        return oldest
    return next((u for u in state.updates if u.purpose not in (Purpose.PROOF, Purpose.FENCE)), oldest)


def begun(do: Draft, *, again: bool) -> None:
    """The server has accepted the terms: tell it what was said before it was there."""
    state = do.state
    terms = state.terms
    do.ask(ClearAlarm(BEGIN_ALARM))
    if again:
        do.change(ready=True)
        history = limits.newest((*terms.history, *state.history), rate=state.limits.text_rate)
    else:
        do.change(ready=True, talk_held=terms.push_to_talk and terms.microphone_ends)
        history = terms.history
    for item in pictures.as_items(history, state.images):
        turns.send_item(do, item)
    for text in state.told:
        turns.send_item(do, turns.as_told(text))
    if again and budget.is_spent(state) and (change := budget.answering_nothing(state)):
        update(do, change, Purpose.BUDGET)
    do.change(postponed=())
    for wanted in state.postponed:
        update(do, *changes.CHANGES[wanted.purpose](do, wanted.value), wanted.value)


def greet(do: Draft) -> None:
    if do.state.terms.greeting:
        do.ask(Show(Notice(do.state.terms.greeting)))
    _begin_time(do)


def used(do: Draft, spending: Spending) -> None:
    """The server has told what something cost. When that spends the budget, it is to answer nothing more."""
    before = budget.is_spent(do.state)
    do.change(spending=spending)
    if budget.is_spent(do.state) and not before and (change := budget.answering_nothing(do.state)):
        update(do, change, Purpose.BUDGET)


def _begin_time(do: Draft) -> None:
    """What was agreed on counts from the conversation's beginning."""
    length_us = do.state.terms.max_length_ms * 1000
    if length_us > LAST_MINUTE_US:
        do.ask(SetAlarm(LAST_MINUTE_ALARM, max(length_us - LAST_MINUTE_US, do.now_us)))
    if length_us:
        do.ask(SetAlarm(TIME_ALARM, max(length_us, do.now_us)))


def last_minute(do: Draft) -> None:
    budget.tell(do, "One minute is left (--max-minutes).", "One minute is left.")


def time_over(do: Draft) -> None:
    do.ask(Show(Notice("The time is over (--max-minutes).", "warning")))
    end_when_quiet(do)
    do.ask(SetAlarm(OUT_ALARM, do.now_us + GRACE_US))


def refused(do: Draft, event_id: str) -> Purpose | None:
    """The server refused an event: the purpose of it if it was an update. A refused fence serves as well."""
    for candidate in do.state.updates:
        if candidate.event_id == event_id:
            do.change(updates=tuple(u for u in do.state.updates if u is not candidate))
            unread.answered(do, event_id)
            if candidate.purpose is Purpose.FENCE:
                do.ask(SetAlarm(SETTLE_ALARM, do.now_us + SETTLE_US))
            return candidate.purpose
    return None


def end_when_quiet(do: Draft) -> None:
    do.change(ending=Ending.WHEN_QUIET)


def nobody_left(do: Draft) -> None:
    """One way to say something is gone; without the other the conversation ends."""
    if not (do.state.microphone or do.state.microphone_awaited or do.state.keyboard):
        end_when_quiet(do)


def settled(do: Draft) -> None:
    """The server has had its time. An end of speech that it has not found by now it will not find."""
    barge_in.broke_off(do)
    end_when_quiet(do)


def trail(do: Draft, samples: int) -> None:
    """Silence went to the server in place of the microphone file that is over."""
    trailed = do.state.trailed + samples
    do.change(trailed=trailed)
    if trailed >= do.state.terms.trailing_silence_ms * SAMPLES_PER_MS:
        do.change(ending=Ending.FENCED)
        fence(do)


def fence(do: Draft) -> None:
    """Behind all that was said; where there is no session, the next one gets it."""
    if do.state.between:
        return
    update(do, Session(type="realtime"), Purpose.FENCE)
    do.ask(SetAlarm(SETTLE_ALARM, do.now_us + FENCE_WAIT_US))


def prove_read(do: Draft) -> None:
    """Before a response is asked for, behind what may be answered by the server itself (see `unread`)."""
    if unread.is_to_be_proven(do.state):
        unread.fenced(do, update(do, Session(type="realtime"), Purpose.PROOF))


def conclude(do: Draft) -> None:
    state = do.state
    if state.ending is not Ending.WHEN_QUIET or not state.quiet():
        return
    said = any(turn.role == "user" for turn in state.history)
    if state.terms.microphone_ends and state.terms.transcribes and not said:
        do.ask(Show(Notice("No words were recognised in what the microphone gave.", "warning")))
    do.ask(Quit())
