"""Whose turn it is, and what was said in it: one response at a time, and the lines of both speakers."""

from __future__ import annotations

import attrs

from rtassist.dialogue import budget, floor, words
from rtassist.dialogue.doing import microphone_on
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import (
    Awaited,
    ClearAlarm,
    LineEnded,
    Notice,
    Said,
    Send,
    SetAlarm,
    Show,
)
from rtassist.dialogue.state import HISTORY_TURNS, Cancel, Fate, Request, Sound, Utterance
from rtassist.dialogue.terms import Turn
from rtassist.protocol import (
    AssistantContent,
    AssistantMessage,
    ConversationItemCreate,
    Item,
    ResponseCreate,
    ResponseParams,
    SystemContent,
    SystemMessage,
    UserContent,
    UserMessage,
)

SHORT = 100
"""Characters of a longer text that are enough to know which it is."""
SAY_EXACTLY = "Say exactly the following words, in their language, and nothing else: "
ANSWER_ALARM = "answer"
ANSWER_WAIT_US = 25_000_000
"""A response that is due and has not begun by then is no longer waited for. A dead connection is noticed
within 20 s, and what was asked over it is asked again."""
REMEMBERED = 20
"""Results of functions and timers, should all of them wait for an answer."""
TRANSCRIPT_ALARM = "transcript"
TRANSCRIPT_WAIT_US = 6_000_000
"""The user's words are worth this much waiting: past it the conversation is shown without them."""


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
    _known(do)
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


def user_began(do: Draft, item_id: str, start_ms: int | None = None) -> None:
    """The server hears speech that will become this item, from there on in the session's audio."""
    do.change(user_item=item_id)
    says(do, start_ms)
    _await_words(do, item_id)


def user_ended(do: Draft, item_id: str) -> None:
    """The user's turn is over; its words may still take a while."""
    if do.state.terms.transcribes:
        _await_words(do, item_id)
        do.ask(SetAlarm(TRANSCRIPT_ALARM, do.now_us + TRANSCRIPT_WAIT_US))


def user_broke_off(do: Draft) -> None:
    """The server will not hear the end of what the user was saying."""
    item_id = do.state.user_item
    if item_id is not None:
        do.change(user_item=None)
        user_line_ended(do, item_id, do.state.heard_words.get(item_id, ""))


def says(do: Draft, start_ms: int | None = None) -> None:
    """The user begins to say what only the server has."""
    if do.state.said_us is None:
        do.change(said_us=do.now_us, said_ms=start_ms)


def _known(do: Draft) -> None:
    """Where no words are on their way any more, what the user said is known, or will never be."""
    state = do.state
    if not (state.awaited or state.user_speaks or state.talk_held):
        do.change(said_us=None, said_ms=None)


def lose_user_lines(do: Draft, *, said_again: bool) -> None:
    """The session that heard the user is over. What he says again is a line then, and not twice."""
    do.change(user_item=None)
    for item_id in do.state.awaited:
        user_line_ended(do, item_id, "" if said_again else do.state.heard_words.get(item_id, ""))
    _known(do)


def _await_words(do: Draft, item_id: str) -> None:
    if do.state.terms.transcribes and item_id not in do.state.awaited:
        do.change(awaited=(*do.state.awaited, item_id))
        do.ask(Show(Awaited(item_id, "user")))


def user_words(do: Draft, item_id: str, words_: str) -> None:
    heard = do.state.heard_words
    do.change(heard_words={**heard, item_id: heard.get(item_id, "") + words_})
    do.ask(Show(Said(item_id, "user", words_)))


def user_line_ended(do: Draft, item_id: str, text: str, *, meant: bool = True) -> None:
    """The user's words are complete, or as complete as they will be; kept if they are `meant` as some."""
    state = do.state
    do.change(
        awaited=tuple(other for other in state.awaited if other != item_id),
        heard_words={key: value for key, value in state.heard_words.items() if key != item_id},
    )
    if not do.state.awaited:
        do.ask(ClearAlarm(TRANSCRIPT_ALARM))
    do.ask(Show(LineEnded(item_id, "user", text)))
    _known(do)
    if text and meant:
        keep(do, Turn("user", text))


def transcripts_overdue(do: Draft) -> None:
    """No longer wait for words. Before an answer has begun, the server may be gone, and they with it."""
    said = {"said_us": do.state.said_us, "said_ms": do.state.said_ms}
    for item_id in do.state.awaited:
        if item_id != do.state.user_item:
            user_line_ended(do, item_id, do.state.heard_words.get(item_id, ""))
    if any(not request.denied for request in do.state.requests):
        do.change(**said)


def assistant_line_began(do: Draft, item_id: str, response_id: str) -> None:
    """A message of a response begins. Of one that is done there is nothing new, whatever comes late."""
    state = do.state
    answer = state.answers.get(response_id)
    if item_id in state.utterances or answer is None or answer.done:
        return
    floor.open_utterance(do, item_id, response_id)
    if response_id == state.holder:
        do.ask(Show(Awaited(item_id, "assistant")))


def assistant_words(do: Draft, item_id: str, words_: str) -> None:
    """The transcript of an assistant's voice goes on; it is shown as far as it was heard."""
    utterance = do.state.utterances.get(item_id)
    if utterance is None or utterance.transcript_done:
        return
    _show_heard(do, do.change_utterance(item_id, transcript=utterance.transcript + words_))


def assistant_words_done(do: Draft, item_id: str, transcript: str) -> None:
    utterance = do.state.utterances.get(item_id)
    if utterance is None or utterance.line_ended:
        return
    if transcript.startswith(utterance.transcript[: utterance.shown]):
        do.change_utterance(item_id, transcript=transcript)
    do.change_utterance(item_id, transcript_done=True)
    show_heard(do, item_id)
    end_line_when_over(do, item_id)


def assistant_wrote(do: Draft, item_id: str, words_: str) -> None:
    """A written answer goes on; without the floor it is no longer shown."""
    utterance = do.state.utterances.get(item_id)
    if utterance is None or utterance.line_ended:
        return
    do.change_utterance(item_id, written=True, transcript=utterance.transcript + words_)
    show_heard(do, item_id)


def heard_so_far(do: Draft, item_id: str, heard: int) -> None:
    """The loudspeaker's progress."""
    utterance = do.state.utterances.get(item_id)
    if utterance is not None and utterance.sound is Sound.SOUNDING and heard > utterance.heard:
        _show_heard(do, do.change_utterance(item_id, heard=min(heard, utterance.handed)))


def show_heard(do: Draft, item_id: str) -> None:
    """Show the words up to the one that sounds now; written ones at once."""
    _show_heard(do, do.state.utterances[item_id])


def _show_heard(do: Draft, utterance: Utterance) -> None:
    if utterance.line_ended:
        return
    length = _heard_length(do, utterance)
    if length > utterance.shown:
        fresh = utterance.transcript[utterance.shown : length]
        do.change_utterance(utterance.item_id, shown=length)
        do.ask(Show(Said(utterance.item_id, "assistant", fresh)))


def _heard_length(do: Draft, utterance: Utterance) -> int:
    state = do.state
    if _is_read(do, utterance):
        return len(utterance.transcript) if utterance.response_id == state.holder else utterance.shown
    if utterance.fate is Fate.WHOLE:
        return len(utterance.transcript)
    whole = utterance.audio_done and utterance.transcript_done and not utterance.short
    if not utterance.heard and (utterance.arrived or not whole):
        return 0
    total = words.total_samples(utterance.transcript, arrived=utterance.arrived, whole=whole, pace=state.pace)
    return words.heard_length(utterance.transcript, heard=utterance.heard, total=total)


def _is_read(do: Draft, utterance: Utterance) -> bool:
    """Its words are shown as they come: it is text, or there is nothing (any more) to play it on."""
    return utterance.written or (not do.state.voiced and utterance.sound in (Sound.NONE, Sound.SOUNDING))


def read_to_the_end(do: Draft) -> None:
    """A loudspeaker is there again: what has begun to be read is not heard from its middle on."""
    for utterance in do.state.utterances.values():
        if utterance.sound in (Sound.NONE, Sound.SOUNDING):
            do.change_utterance(utterance.item_id, written=True)


def end_line_when_over(do: Draft, item_id: str) -> None:
    """Close an assistant's line once no more of it will be heard and all its words are known."""
    utterance = do.state.utterances[item_id]
    if utterance.line_ended:
        return
    response_over = do.state.answers[utterance.response_id].done
    words_over = utterance.transcript_done or response_over
    if _is_read(do, utterance):
        over, cut = words_over, utterance.response_id != do.state.holder or utterance.short
    elif utterance.sound is Sound.ENDED:
        cut = utterance.cut
        over = cut or words_over
    else:
        over, cut = utterance.sound is Sound.NONE and response_over, False
    if over:
        _end_line(do, item_id, cut)


def _end_line(do: Draft, item_id: str, cut: bool) -> None:
    show_heard(do, item_id)
    utterance = do.change_utterance(item_id, line_ended=True)
    text = utterance.transcript[: utterance.shown]
    unsaid = utterance.transcript[utterance.shown :] if cut else ""
    do.ask(Show(LineEnded(item_id, "assistant", text, cut, unsaid)))
    if text:
        turn = Turn("assistant", text, cut, unsaid)
        keep(do, turn)
        if utterance.lost and do.state.ready:
            send_item(do, as_item(turn))
    if not cut and utterance.arrived and utterance.transcript_done:
        do.change(pace=words.learn_pace(do.state.pace, utterance.transcript, utterance.arrived))


def forget(do: Draft) -> None:
    """Drop what is over: finished lines of finished responses, and responses that nothing is left of."""
    state = do.state
    finished = [
        u.item_id
        for u in state.utterances.values()
        if u.line_ended and u.sound in (Sound.ENDED, Sound.NONE) and state.answers[u.response_id].done
    ]
    if finished:
        do.change(utterances={k: u for k, u in state.utterances.items() if k not in finished})
    owners = {u.response_id for u in do.state.utterances.values()}
    over = [a.id for a in state.answers.values() if a.done and a.id not in owners]
    if over:
        do.change(answers={k: a for k, a in state.answers.items() if k not in over})


def as_item(turn: Turn) -> UserMessage | AssistantMessage:
    """A line as an item. The server keeps items in the order in which they come."""
    if turn.role == "user":
        return UserMessage(content=(UserContent(type="input_text", text=turn.text),))
    return AssistantMessage(content=(AssistantContent(type="output_text", text=turn.text),))


def as_told(text: str) -> SystemMessage:
    return SystemMessage(content=(SystemContent(type="input_text", text=text),))


def send_item(do: Draft, item: Item) -> None:
    do.ask(Send(ConversationItemCreate(event_id=do.next_event_id(), item=item)))


def tell(do: Draft, text: str) -> None:
    """Tell the model what nobody has said."""
    remember(do, text)
    if not do.state.between:
        send_item(do, as_told(text))


def remember(do: Draft, text: str) -> None:
    """The model is told this, or has been; until an answer has come, another session is told it again."""
    do.change(told=(*do.state.told, text)[-REMEMBERED:])


def keep(do: Draft, turn: Turn) -> None:
    do.change(history=(*do.state.history, turn)[-HISTORY_TURNS:])


def shortened(text: str) -> str:
    """The beginning of it as one line, for a notice."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}…"
