"""What was said in each turn: the lines of both speakers, and what of them is kept."""

from __future__ import annotations

from rtassist.dialogue import floor, words
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import (
    Awaited,
    ClearAlarm,
    LineEnded,
    Said,
    Send,
    SetAlarm,
    Show,
)
from rtassist.dialogue.state import HISTORY_TURNS, Fate, Sound, Utterance
from rtassist.dialogue.terms import Turn
from rtassist.protocol import (
    AssistantContent,
    AssistantMessage,
    ConversationItemCreate,
    Item,
    SystemContent,
    SystemMessage,
    UserContent,
    UserMessage,
)

SHORT = 100
"""Characters of a longer text that are enough to know which it is."""
REMEMBERED = 20
"""Results of functions and timers, should all of them wait for an answer."""
TRANSCRIPT_ALARM = "transcript"
TRANSCRIPT_WAIT_US = 6_000_000
"""The user's words are worth this much waiting: past it the conversation is shown without them."""


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


def known(do: Draft) -> None:
    """Where no words are on their way any more, what the user said is known, or will never be."""
    state = do.state
    if not (state.awaited or state.user_speaks or state.talk_held):
        do.change(said_us=None, said_ms=None)


def lose_user_lines(do: Draft, *, said_again: bool) -> None:
    """The session that heard the user is over. What he says again is a line then, and not twice."""
    do.change(user_item=None)
    for item_id in do.state.awaited:
        user_line_ended(do, item_id, "" if said_again else do.state.heard_words.get(item_id, ""))
    known(do)


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
    known(do)
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
