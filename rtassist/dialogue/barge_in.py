"""Whether speaking over the assistant interrupts it: at once, once it is known to be words, or not at all.

    instant   the server cancels its answer when it hears speech, and answers the turn by itself
    confirm   the voice is lowered at once; words take the floor, and what holds none leaves no trace
    off       the voice goes on, and the turn is answered behind it

With the last two the server is told neither to interrupt nor to answer: an answer that it makes by itself
"may fail … if the model is already responding" (`create_response` in OpenAI's reference of
`session.update`). Each answer is asked for here, one at a time.

A turn that began while the assistant was at work is in doubt under `confirm`, until its words are known:

    words        the floor is taken; the turn is answered when it has been committed
    none         (a cough, "mm-hm") it is deleted from the conversation, and the voice is as loud as before
    nobody says  (no transcript in time) it may have been words: answered behind the voice, as with `off`
"""

from __future__ import annotations

from rtassist.dialogue import asking, backchannels, duck, floor, turns
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Send
from rtassist.dialogue.floor import Taker
from rtassist.dialogue.state import Conversation, OwnTurn, Verdict
from rtassist.protocol import ConversationItemDelete

CONFIRM = "confirm"


def started(do: Draft, item_id: str) -> None:
    """The server hears speech; the microphone is on."""
    state = do.state
    if state.terms.asks_itself and item_id not in state.own_turns:
        verdict = Verdict.SPOKEN
        if state.terms.barge_in == CONFIRM and _at_work(state):
            if state.terms.transcribes:
                verdict = Verdict.DOUBTED
            else:
                floor.take(do, Taker.USER_ACTED)
        _stands(do, item_id, OwnTurn(verdict))
        duck.doubt(do)


def _at_work(state: Conversation) -> bool:
    """The assistant speaks or is about to."""
    return (
        state.sounding
        or state.wanted
        or bool(state.say)
        or any(call.speak for call in state.calls.values())
        or (state.active is not None and state.active == state.holder)
        or any(not request.denied for request in state.requests)
    )


def stopped(do: Draft) -> None:
    """The end of the speech; its words are to be known soon."""
    duck.speech_over(do)


def committed(do: Draft, item_id: str) -> None:
    """The turn is an item of the conversation now: it can be answered, or deleted."""
    turn = do.state.own_turns.get(item_id)
    if turn is None:
        return
    if turn.verdict is Verdict.DOUBTED:
        _stands(do, item_id, OwnTurn(Verdict.DOUBTED, committed=True))
        return
    _forget(do, item_id)
    if turn.verdict is Verdict.NOISE:
        _delete(do, item_id)
    else:
        _answer(do)


def words(do: Draft, item_id: str) -> None:
    """Some of the turn's words are known; the last one may not be complete."""
    text = do.state.heard_words.get(item_id, "")
    turn = do.state.own_turns.get(item_id)
    doubted = turn is not None and turn.verdict is Verdict.DOUBTED
    if doubted and not backchannels.may_become_one(text, do.state.terms.language):
        _confirm(do, item_id)


def transcribed(do: Draft, item_id: str, text: str, *, answered: bool) -> bool:
    """All of its words are known. Whether there are any, as far as that was in doubt.

    `answered`: they are for the model, and not a command to us.
    """
    turn = do.state.own_turns.get(item_id)
    if turn is None or turn.verdict not in (Verdict.DOUBTED, Verdict.SETTLED):
        return True
    if not backchannels.is_one(text, do.state.terms.language):
        if turn.verdict is Verdict.DOUBTED:
            _confirm(do, item_id, answered=answered)
        else:
            _forget(do, item_id)
        return True
    if turn.committed:
        _forget(do, item_id)
        _delete(do, item_id)
    else:
        _stands(do, item_id, OwnTurn(Verdict.NOISE))
    duck.nothing(do)
    return False


def not_transcribed(do: Draft, item_id: str) -> None:
    """Nobody will say whether there were words."""
    turn = do.state.own_turns.get(item_id)
    if turn is None:
        return
    if turn.verdict is Verdict.DOUBTED and not turn.committed:
        _stands(do, item_id, OwnTurn(Verdict.SPOKEN))
    else:
        _forget(do, item_id)
        if turn.verdict is Verdict.DOUBTED:
            _answer(do)
    duck.nothing(do)


def broke_off(do: Draft) -> None:
    """The server will not hear the end of what the user is saying."""
    item_id = do.state.user_item
    turns.user_broke_off(do)
    if item_id is not None and item_id in do.state.own_turns:
        _forget(do, item_id)
        duck.nothing(do)


def lost(do: Draft) -> None:
    """The session is over that could say more. What it has not written down is said to the next one again."""
    do.change(own_turns={})
    duck.nothing(do)


def overdue(do: Draft) -> None:
    """What was said is no longer waited for."""
    turns.transcripts_overdue(do)
    for item_id in do.state.own_turns:
        if item_id != do.state.user_item:
            not_transcribed(do, item_id)


def _confirm(do: Draft, item_id: str, *, answered: bool = True) -> None:
    turn = do.state.own_turns[item_id]
    _stands(do, item_id, OwnTurn(Verdict.SPOKEN))
    floor.take(do, Taker.USER_ACTED)
    if turn.committed:
        _forget(do, item_id)
        if answered:
            _answer(do)


def _answer(do: Draft) -> None:
    if not do.state.paused:
        asking.want_answer(do)


def _delete(do: Draft, item_id: str) -> None:
    do.ask(Send(ConversationItemDelete(event_id=do.next_event_id(), item_id=item_id)))


def _stands(do: Draft, item_id: str, turn: OwnTurn) -> None:
    do.change(own_turns={**do.state.own_turns, item_id: turn})


def _forget(do: Draft, item_id: str) -> None:
    do.change(own_turns={key: turn for key, turn in do.state.own_turns.items() if key != item_id})
