"""Who may speak: the floor, barge-in, and what the server is told about what was heard.

At any moment at most one response has the floor. `response.created` gives it, the user takes it, and audio is
played only for the holder, so late audio of a cancelled response has nowhere to go.

The voice of one item, and all that can happen to it:

    {diagram}

Once a voice has ended, the loudspeaker's report decides what the server is told, once per item:

    everything heard          nothing: the server's idea is right
    something heard           `conversation.item.truncate` at the milliseconds that sounded
    nothing heard             `conversation.item.delete`, after the response is done

A truncation goes before the cancellation of its response, and no cancellation is sent when the server is
cancelling by itself or has finished.
"""

from __future__ import annotations

from enum import Enum

import attrs

from rtassist.dialogue import backchannels, budget, duck
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Finish, Hush, Play, Send
from rtassist.dialogue.state import (
    SAMPLES_PER_MS,
    Answer,
    Cancel,
    Ducking,
    Fate,
    OwnTurn,
    Request,
    Sound,
    Utterance,
    Verdict,
)
from rtassist.protocol import (
    ConversationItemDelete,
    ConversationItemTruncate,
    ResponseCancel,
    ResponseOutputAudioDelta,
)


class Taker(Enum):
    USER_SPOKE = "user spoke"
    """The server heard it too and cancels its response by itself."""
    USER_ACTED = "user acted"
    """A key, a command, a typed line: only we know, so we cancel."""


TRANSITIONS: dict[Sound, dict[str, Sound]] = {
    Sound.NONE: {"audio": Sound.SOUNDING, "taken": Sound.ENDED},
    Sound.SOUNDING: {"audio": Sound.SOUNDING, "taken": Sound.HUSHED, "report": Sound.ENDED},
    Sound.HUSHED: {"report": Sound.ENDED},
    Sound.ENDED: {},
}
"""Every change of a voice. What is not listed changes nothing."""


def diagram() -> str:
    """The table above as lines of text, for this module's docstring and for the README."""
    rows = [
        f"{start.value:<9} ── {cause:<6} → {end.value}"
        for start, arrows in TRANSITIONS.items()
        for cause, end in arrows.items()
    ]
    return "\n    ".join(rows)


__doc__ = (__doc__ or "").replace("{diagram}", diagram())


def created(do: Draft, response_id: str) -> None:
    """A response began: it gets the floor, unless the user has meanwhile said otherwise."""
    state = do.state
    if response_id in state.answers:
        return
    request = _asked_for(state.requests)
    denied = request.denied or state.turn_is_certain or state.talk_held
    refused = not denied and budget.is_spent(state)
    denied = denied or refused
    answer = Answer(id=response_id, quiet=denied, say=request.say, event_id=request.event_id or "")
    do.change(
        requests=tuple(other for other in state.requests if other is not request),
        active=response_id,
        answers={**state.answers, response_id: answer},
    )
    if denied:
        _cancel(do, response_id)
        if refused:
            budget.refuse(do)
        return
    holder = state.answers.get(state.holder or "")
    if holder is not None and not holder.done:
        _hush_all(do)
    do.change(holder=response_id)


def _asked_for(requests: tuple[Request, ...]) -> Request:
    """What a response is the answer to, when it is not told. One that was due goes before those that we have
    asked for: had the server read such a request by then, it would have told of its response before.
    """
    due = (request for request in requests if request.event_id is None)
    return next(due, requests[0] if requests else Request(None))


def take(do: Draft, taker: Taker) -> None:
    """The user has the floor: everything that sounds is hushed, what is on its way is denied.

    A response that is due from the server is dropped when the server has heard the user speak: what it makes
    after that answers what the user is saying now.
    """
    state = do.state
    user_spoke = taker is Taker.USER_SPOKE
    if state.limits.retry_due:  # the user wants something else by now
        do.change(limits=attrs.evolve(state.limits, retry_due=False, retry_say=""))
    do.change(
        holder=None,
        requests=tuple(
            attrs.evolve(request, denied=True)
            for request in state.requests
            if request.event_id is not None or not user_spoke
        ),
    )
    _hush_all(do)
    if state.announcement is not None:
        do.change(announcement=None)
        do.ask(Hush(state.announcement))
    duck.taken(do)
    _settle_doubts(do)
    if state.active is None:
        return
    if user_spoke:
        do.change_answer(state.active, cancel=Cancel.UNDER_WAY)
    elif state.answers[state.active].cancel is Cancel.NO:
        do.change_answer(state.active, cancel=Cancel.DUE)
        _cancel_when_truncated(do, state.active)


def _settle_doubts(do: Draft) -> None:
    """What the user said before is heard in any case, and what he is saying is no longer over the voice."""
    if do.state.own_turns:
        do.change(own_turns={id: _without_doubt(turn) for id, turn in do.state.own_turns.items()})


def _without_doubt(turn: OwnTurn) -> OwnTurn:
    if turn.verdict is not Verdict.DOUBTED:
        return turn
    return attrs.evolve(turn, verdict=Verdict.SETTLED if turn.committed else Verdict.SPOKEN)


def user_words(do: Draft, item_id: str, words: str) -> None:
    """Words for which the voice was lowered take the floor, should they come before the server's word.

    Those of a turn that was announced do not: as a rule they are the question that the voice is answering.
    """
    state = do.state
    if not words or state.ducking is not Ducking.DUCKED or item_id in state.awaited:
        return
    if state.terms.interrupts:
        take(do, Taker.USER_SPOKE)
    elif not backchannels.may_become_one(words, state.terms.language):
        take(do, Taker.USER_ACTED)


def audio(do: Draft, event: ResponseOutputAudioDelta) -> None:
    """Audio came: it is played, or only counted if its voice has ended, as without the floor it has."""
    utterance = do.state.utterances.get(event.item_id)
    if utterance is None:
        return
    pcm = utterance.odd + event.delta
    samples = len(pcm) // 2
    sound = TRANSITIONS[utterance.sound].get("audio")
    if sound is None or not do.state.voiced or utterance.audio_done or utterance.written:
        handed = 0
    else:
        handed = samples
    if handed:
        do.ask(Play(event.item_id, pcm[: samples * 2]))
    do.change_utterance(
        event.item_id,
        arrived=utterance.arrived + samples,
        odd=pcm[samples * 2 :],
        content_index=event.content_index,
        sound=sound if handed and sound is not None else utterance.sound,
        handed=utterance.handed + handed,
    )
    if not do.state.spoke:
        do.change(spoke=True)
    if sound is not None and utterance.sound is Sound.NONE:
        duck.doubt(do)


def open_utterance(do: Draft, item_id: str, response_id: str) -> None:
    """Begin to keep account of an assistant message. One without the floor has already ended."""
    utterance = Utterance(item_id=item_id, response_id=response_id)
    if response_id != do.state.holder:
        utterance = attrs.evolve(utterance, sound=Sound.ENDED, fate=Fate.UNHEARD, line_ended=True)
    do.change(utterances={**do.state.utterances, item_id: utterance})


def audio_done(do: Draft, item_id: str) -> None:
    """All audio of this item has come."""
    utterance = do.state.utterances.get(item_id)
    if utterance is None or utterance.audio_done:
        return
    do.change_utterance(item_id, audio_done=True)
    if utterance.sound is Sound.SOUNDING:
        do.ask(Finish(item_id))


def ended(do: Draft, item_id: str, heard: int) -> None:
    """The loudspeaker's one report about an item: settle with the server how much of it was heard."""
    utterance = do.state.utterances.get(item_id)
    if utterance is None or "report" not in TRANSITIONS[utterance.sound]:
        return
    duck.ended(do)
    hushed = utterance.sound is Sound.HUSHED
    utterance = do.change_utterance(
        item_id, sound=TRANSITIONS[utterance.sound]["report"], heard=min(heard, utterance.handed)
    )
    _settle(do, utterance, hushed)
    _cancel_when_truncated(do, utterance.response_id)


def done(do: Draft, response_id: str) -> None:
    """A response is over at the server: finish what sounds of it, delete what nobody heard of it."""
    state = do.state
    if state.active == response_id:
        do.change(active=None)
    do.change_answer(response_id, done=True, cancel=Cancel.NO)
    for utterance in state.utterances.values():
        if utterance.response_id == response_id:
            audio_done(do, utterance.item_id)
            _delete_unheard(do, do.state.utterances[utterance.item_id])


def lose(do: Draft) -> None:
    """The session is over: what has come of its answers sounds to its end, and its server learns nothing."""
    for utterance in do.state.utterances.values():
        do.change_utterance(
            utterance.item_id,
            lost=True,
            short=utterance.short or (not utterance.lost and is_short(utterance)),
        )
    for answer in do.state.answers.values():
        if not answer.done:
            done(do, answer.id)


def is_short(utterance: Utterance) -> bool:
    """More of it is to come."""
    whole = utterance.audio_done if utterance.arrived else utterance.transcript_done
    return not whole


def _heard_whole(utterance: Utterance) -> bool:
    """All of its audio came and has sounded, to the millisecond that a truncation can name."""
    return utterance.audio_done and utterance.heard // SAMPLES_PER_MS >= utterance.arrived // SAMPLES_PER_MS


def _hush_all(do: Draft) -> None:
    for utterance in do.state.utterances.values():
        sound = TRANSITIONS[utterance.sound].get("taken")
        if sound is None:
            continue
        if sound is Sound.HUSHED:
            do.change_utterance(utterance.item_id, sound=sound)
            do.ask(Hush(utterance.item_id))
        elif do.state.voiced and not utterance.written:
            utterance = do.change_utterance(utterance.item_id, sound=sound, fate=Fate.UNHEARD)
            _delete_unheard(do, utterance)


def _settle(do: Draft, utterance: Utterance, hushed: bool) -> None:
    """Decide the fate of a voice that has ended. Without a loudspeaker, what was not heard is read."""
    is_read = (utterance.written or not do.state.voiced) and not hushed
    if is_read or (_heard_whole(utterance) and not utterance.short):
        do.change_utterance(utterance.item_id, fate=Fate.WHOLE)
        return
    heard_ms = utterance.heard // SAMPLES_PER_MS
    if heard_ms == 0:
        _delete_unheard(do, do.change_utterance(utterance.item_id, fate=Fate.UNHEARD))
        return
    do.change_utterance(utterance.item_id, fate=Fate.TRUNCATED)
    if utterance.lost or not do.state.terms.truncates:
        return
    do.ask(
        Send(
            ConversationItemTruncate(
                event_id=do.next_event_id(),
                item_id=utterance.item_id,
                content_index=utterance.content_index,
                audio_end_ms=heard_ms,
            )
        )
    )


def _delete_unheard(do: Draft, utterance: Utterance) -> None:
    if utterance.fate is Fate.UNHEARD and do.state.answers[utterance.response_id].done:
        do.change_utterance(utterance.item_id, fate=Fate.DELETED)
        if utterance.lost:
            return
        do.ask(Send(ConversationItemDelete(event_id=do.next_event_id(), item_id=utterance.item_id)))


def _cancel_when_truncated(do: Draft, response_id: str) -> None:
    if do.state.answers[response_id].cancel is not Cancel.DUE:
        return
    if any(u.sound is Sound.HUSHED for u in do.state.utterances.values() if u.response_id == response_id):
        return
    _cancel(do, response_id)


def _cancel(do: Draft, response_id: str) -> None:
    do.change_answer(response_id, cancel=Cancel.UNDER_WAY)
    do.ask(Send(ResponseCancel(event_id=do.next_event_id(), response_id=response_id)))
