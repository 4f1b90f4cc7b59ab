"""Asking for responses: one at a time, and for none that the server makes by itself."""

from __future__ import annotations

import attrs

from rtassist.dialogue import budget, turns
from rtassist.dialogue.doing import microphone_on
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import ClearAlarm, Notice, Send, SetAlarm, Show
from rtassist.dialogue.state import Cancel, Request, Sound
from rtassist.protocol import ResponseCreate, ResponseParams

SAY_EXACTLY = "Say exactly the following words, in their language, and nothing else: "
ANSWER_ALARM = "answer"
ANSWER_WAIT_US = 25_000_000
"""A response that is due and has not begun by then is no longer waited for. A dead connection is noticed
within 20 s, and what was asked over it is asked again."""


def want_answer(do: Draft) -> None:
    """Ask for a response now, or as soon as the one before it is over."""
    do.change(wanted=True)
    ask_anew(do)
    ask_when_allowed(do)


def ask_anew(do: Draft) -> None:
    """What is asked for now may be asked for again, should it fail. It answers as well what failed of a limit
    before it and waits to be asked for again; words that were given it does not say.
    """
    do.change(asked_again=False)
    limits = do.state.limits
    if limits.retry_due and not limits.retry_say:
        do.change(limits=attrs.evolve(limits, retry_due=False))


def ask_when_allowed(do: Draft) -> None:
    """Send `response.create` if one is wanted and no other response is being made or on its way.

    The server makes one response of the conversation at a time and refuses a second. So nothing is asked for
    either while the user speaks, or may have spoken unheard (see `unread`): it answers that by itself.
    """
    state = do.state
    if not (state.wanted or state.say) or not state.ready or state.requests or state.active is not None:
        return
    if state.user_speaks or state.talk_held or state.unread is not None:
        return
    for utterance in state.utterances.values():  # whoever answers is to know how much of it was heard
        if utterance.sound is Sound.HUSHED or (utterance.lost and utterance.sound is Sound.SOUNDING):
            return
    if budget.is_spent(state):
        budget.refuse(do)
        return
    event_id = do.next_event_id()
    if state.say:
        do.change(say="", requests=(Request(event_id, say=state.say),))
        do.ask(Send(ResponseCreate(event_id=event_id, response=_saying(state.say))))
    else:
        do.change(wanted=False, requests=(Request(event_id),))
        do.ask(Send(ResponseCreate(event_id=event_id)))
    do.ask(SetAlarm(ANSWER_ALARM, do.now_us + ANSWER_WAIT_US))


def _saying(text: str) -> ResponseParams:
    """No context and no tools: nothing that could be talked about in place of the text."""
    return ResponseParams(instructions=f"{SAY_EXACTLY}{text}", input=(), tool_choice="none")


def answer_due(do: Draft) -> None:
    """The server has taken the user's turn and will answer it by itself; nobody wants that in a pause."""
    if budget.is_spent(do.state) and not do.state.paused:
        want_answer(do)
        return
    due = Request(None, denied=do.state.paused)
    # With the microphone off, it is the answer to what was said before, and what is wanted was typed behind.
    wanted = do.state.wanted and not microphone_on(do.state)
    do.change(requests=(*do.state.requests, due), wanted=wanted)
    ask_anew(do)
    do.ask(SetAlarm(ANSWER_ALARM, do.now_us + ANSWER_WAIT_US))


def answer_began(do: Draft) -> None:
    turns.known(do)
    if not do.state.requests:
        do.ask(ClearAlarm(ANSWER_ALARM))


def answer_overdue(do: Draft) -> None:
    """No longer wait for what has not begun; while a response is being made, the next cannot begin."""
    if not do.state.requests:
        return
    if do.state.active is not None:
        do.ask(SetAlarm(ANSWER_ALARM, do.now_us + ANSWER_WAIT_US))
        return
    if not all(request.denied for request in do.state.requests):
        do.ask(Show(Notice("The server has not begun an answer; it is no longer waited for.", "warning")))
    do.change(requests=())


def answer_refused(do: Draft, event_id: str) -> None:
    """The server refused an event of ours; if that was a `response.create`, it is no longer on its way."""
    do.change(requests=tuple(request for request in do.state.requests if request.event_id != event_id))


def answer_in_the_way(do: Draft, event_id: str) -> None:
    """Our request found the server making a response: ask again when that one is done, unless told to stop.

    That response began while the request was on its way: it is one that was due, or, where none was, has been
    taken for the one asked for. If we know of none, asking again at once would be refused again; the alarm
    does it. Where no event is named, the server's own attempt to answer failed, and now we ask.
    """
    state = do.state
    refused = next((r for r in state.requests if (r.event_id or "") == event_id), None)
    if refused is None and not event_id and state.requests:
        refused = state.requests[0]
    if refused is not None:
        stopped, say = refused.denied, refused.say
        do.change(requests=tuple(request for request in state.requests if request is not refused))
    elif (taken := state.answers.get(state.active or "")) is not None and taken.event_id == event_id:
        stopped, say = taken.cancel is not Cancel.NO, taken.say
    else:  # nobody waits for it any more
        return
    if stopped:
        return
    if say:
        do.change(say=say)
    else:
        do.change(wanted=True)
    if state.active is None and not do.state.requests:
        do.change(requests=(Request(None),))
        do.ask(SetAlarm(ANSWER_ALARM, do.now_us + ANSWER_WAIT_US))
