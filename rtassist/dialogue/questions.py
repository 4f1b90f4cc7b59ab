"""Calls that need the user's word: asked one after the other, answered by a line or aloud, expired, refused.

The conversation goes on meanwhile. Only a whole utterance is an answer, and only one that began after the
question was asked: a "yes" to what the assistant had said before must not allow anything.
"""

from __future__ import annotations

import re

import attrs

from rtassist.dialogue import calls, wording
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import ClearAlarm, Notice, Send, SetAlarm, Show
from rtassist.dialogue.state import Conversation, Question
from rtassist.protocol import UNSET, ConversationItemCreate, McpApprovalResponse

QUESTION_ALARM = "question"
QUESTION_WAIT_US = 60_000_000
"""Past it the user is elsewhere, and the model waits in vain."""
_TYPED = {"y": True, "yes": True, "n": False, "no": False}
_SPOKEN = {
    **dict.fromkeys(("yes", "yes please", "yes allow it", "allow it", "yes do it"), True),
    **dict.fromkeys(
        ("no", "no thanks", "no thank you", "don't allow it", "do not allow it", "no don't"), False
    ),
}


def typed(do: Draft, line: str) -> bool:
    """Whether a line was the answer to the open question, which it then has."""
    return _answered(do, typed_answer(do.state, line))


def spoken(do: Draft, item_id: str, utterance: str) -> bool:
    """Likewise for what was said."""
    return _answered(do, spoken_answer(do.state, item_id, utterance))


def typed_answer(state: Conversation, line: str) -> bool | None:
    """What a line means as an answer; None if it is none, or nothing was asked."""
    return _TYPED.get(line.strip().lower()) if _open(state) else None


def spoken_answer(state: Conversation, item_id: str, utterance: str) -> bool | None:
    question = _open(state)
    english = state.terms.language.split("-")[0].lower() == "en"
    if question is None or item_id in question.earlier or not english:
        return None
    return _SPOKEN.get(" ".join(re.findall(r"[\w']+", utterance.lower())))


def overdue(do: Draft) -> None:
    question = _open(do.state)
    if question is not None:
        do.ask(Show(Notice(f"Not answered, so not allowed: {wording.clear(question.name)}.", "warning")))
        _close(do, question, "the user was asked for permission and did not answer")


def stopped(do: Draft) -> None:
    """The user said stop: what was not allowed until now is not wanted."""
    for question in do.state.questions:
        do.ask(Show(Notice(f"Not allowed: {wording.clear(question.name)}.")))
        _close(do, question, "the user was asked for permission and said stop")


def ask_next(do: Draft) -> None:
    """Ask the first question if it is not open yet, or refuse where nobody is there to answer."""
    while do.state.questions:
        question = do.state.questions[0]
        if not (do.state.keyboard or do.state.microphone):
            _close(do, question, "it needs the user's permission, and nobody can be asked")
            continue
        if not question.open:
            earlier = {*do.state.awaited, *filter(None, [do.state.user_item])}
            first = attrs.evolve(question, open=True, earlier=tuple(sorted(earlier)))
            do.change(questions=(first, *do.state.questions[1:]))
            told = wording.call(question.name, question.arguments, wording.WHOLE)
            do.ask(Show(Notice(f"Allow {told}? y/n")))
            do.ask(SetAlarm(QUESTION_ALARM, do.now_us + QUESTION_WAIT_US))
        return


def _open(state: Conversation) -> Question | None:
    return next((question for question in state.questions if question.open), None)


def _answered(do: Draft, yes: bool | None) -> bool:
    question = _open(do.state)
    if question is None or yes is None:
        return False
    do.ask(Show(Notice("Allowed." if yes else "Not allowed.")))
    _close(do, question, "" if yes else "the user did not allow it")
    return True


def _close(do: Draft, question: Question, refusal: str) -> None:
    """Do what was asked for, or tell the model why not. `refusal` is empty where it is allowed."""
    do.change(questions=tuple(other for other in do.state.questions if other.id != question.id))
    if question.open:
        do.ask(ClearAlarm(QUESTION_ALARM))
    if question.approval:
        _approve(do, question, refusal)
    elif refusal:
        calls.refuse(do, question.id, refusal)
    else:
        calls.run(do, question.id, question.arguments)


def _approve(do: Draft, question: Question, refusal: str) -> None:
    event_id = do.next_event_id()
    item = McpApprovalResponse(
        id=f"approval_{event_id}",
        approval_request_id=question.id,
        approve=not refusal,
        reason=refusal or UNSET,
    )
    do.ask(Send(ConversationItemCreate(event_id=event_id, item=item)))
