"""A server, a loudspeaker and a user who may do anything they may do, and a judge of what the program does.

`World` is one moment of all three, and the ghost history: it is kept from events and effects alone, so that
nothing in it can be wrong because the program is. `moves` says what can happen next; `judge` says what the
program owed for it, property by property, and gives the next world.

The environment is as hostile as the protocol lets it be. Events of different items come in every order, audio
goes on after an interruption and after the end of its response, events come twice, reports of the loudspeaker
race with everything, a response is created before, while and after the user speaks or says stop, or refused.
What it does not do: make two responses at once, or answer a request after one that was sent later. Both run
through one ordered stream of bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from rtassist.dialogue import events
from rtassist.dialogue.effects import (
    Awaited,
    ClearAlarm,
    Effect,
    Finish,
    Hush,
    LineEnded,
    Play,
    Quit,
    Send,
    SetAlarm,
    Show,
)
from rtassist.dialogue.events import Event
from rtassist.dialogue.state import Conversation
from rtassist.protocol import (
    ConversationItemDelete,
    ConversationItemTruncate,
    ResponseCancel,
    ResponseCreate,
)
from tests import playbook

SAMPLES_PER_MS = 24


class Phase(IntEnum):
    COMING = 0
    ACTIVE = 1
    DONE = 2


class Cause(IntEnum):
    """What a response is the answer to, or how one that was asked for stands."""

    NONE = 0
    LIVE = 1
    DENIED = 2
    """The user took the floor after it was asked for."""


class Voice(NamedTuple):
    """One assistant item as the world has it."""

    begun: bool = False
    chunks: int = 0
    """Chunks of audio that the server still has for it."""
    arrived: int = 0
    handed: int = 0
    complete: bool = False
    """All its audio has been sent, by the server's word."""
    hushed: bool = False
    ended: bool = False
    unheard: bool = False
    """To be deleted when its response is done."""
    told: bool = False
    """Truncated or deleted."""

    @property
    def sounds(self) -> bool:
        return self.handed > 0 and not self.ended


class Answer(NamedTuple):
    phase: Phase = Phase.COMING
    silent: bool = False
    """The user took the floor from it, or before it came: nothing of it may be played any more."""
    cancel_due: bool = False
    cancelled: bool = False
    """By the server itself, or by us."""
    crossed: bool = False
    """Nobody asked for it, and our own request is still on its way to the server."""
    voices: tuple[Voice, ...] = ()


class Budget(NamedTuple):
    """How often each thing may still happen."""

    turns: int = 0
    stops: int = 0
    lines: int = 0
    timers: int = 0
    late: int = 0
    """Events that come after their time, or a second time."""
    losses: int = 0
    """A voice ends early, as when the loudspeaker is gone and another takes its place."""
    muteness: int = 0
    """The loudspeaker is gone for good."""
    unasked: int = 0
    refusals: int = 0
    waits: int = 0
    """The answer's alarm rings."""
    presses: int = 0


class World(NamedTuple):
    answers: tuple[Answer, ...]
    budget: Budget
    chunk: int = 92
    """Samples in a chunk of audio. 3.8 ms, and half of it 1.9: what is rounded the wrong way is seen."""
    voiced: bool = True
    speaking: bool = False
    held: bool = False
    spoken: bool = False
    """More than 100 ms were said into the held microphone."""
    owed: bool = False
    """An answer is to be asked for as soon as that is allowed."""
    ours: Cause = Cause.NONE
    """The `response.create` that is on its way."""
    due: Cause = Cause.NONE
    """The response that the server owes to the user's turn."""
    alarm: bool = False
    lines: tuple[str, ...] = ()
    """Lines of the assistant that are open on the screen, which holds back all others meanwhile."""
    create_id: str = ""
    """The id of `ours`. The last field, so that it is easily left out of a key."""


class Move(NamedTuple):
    kind: str
    response: int = 0
    item: int = 0
    heard: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {item_id(self)} {self.heard or ''}".rstrip()


class BrokenRuleError(AssertionError):
    """`rule` is the property that was broken."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


def world(responses: int, items: int, chunks: int, budget: Budget) -> World:
    """Before anything has happened, in a session that stands."""
    answer = Answer(voices=(Voice(chunks=chunks),) * items)
    return World(answers=(answer,) * responses, budget=budget)


def response_id(response: int) -> str:
    return f"R{response}"


def item_id(move: Move) -> str:
    return f"A{move.response}{'abcdefgh'[move.item]}"


def moves(w: World) -> Iterator[Move]:
    """Everything that can happen next."""
    left = w.budget
    yield from _user_moves(w)
    active = next((index for index, answer in enumerate(w.answers) if answer.phase is Phase.ACTIVE), None)
    if active is None:
        coming = next((i for i, answer in enumerate(w.answers) if answer.phase is Phase.COMING), None)
        if coming is not None:
            if w.ours:
                yield Move("created", coming)
            elif w.due:
                yield Move("created due", coming)
            if left.unasked and not w.due:
                yield Move("created unasked", coming)
        if w.ours and left.refusals:
            yield Move("refused")
    elif w.answers[active].crossed:
        yield Move("refused: already answering", active)
    if w.alarm and left.waits:
        yield Move("answer overdue")
    for response, answer in enumerate(w.answers):
        if answer.phase is Phase.COMING:
            continue
        if answer.phase is Phase.ACTIVE and not answer.crossed:
            yield Move("done", response)
        if left.late:
            yield Move("created again" if answer.phase is Phase.ACTIVE else "done again", response)
        before = True
        for item, voice in enumerate(answer.voices):
            yield from _voice_moves(w, answer, before, voice, Move("", response, item))
            before = voice.begun


def _user_moves(w: World) -> Iterator[Move]:
    left = w.budget
    if w.speaking:
        yield Move("speech stopped")
    elif left.turns and not w.held:
        yield Move("speech started")
    if w.held:
        yield Move("released")
        if not w.spoken:
            yield Move("spoke")
    elif left.presses:
        yield Move("pressed")
    if left.stops:
        yield Move("stop")
    if left.lines:
        yield Move("typed")
    if left.timers:
        yield Move("timer")
    if left.muteness:
        yield Move("speaker lost")


def _voice_moves(w: World, answer: Answer, may_begin: bool, voice: Voice, move: Move) -> Iterator[Move]:
    if answer.phase is Phase.ACTIVE and (voice.begun or may_begin):
        if not voice.begun:
            yield move._replace(kind="added")
        if voice.chunks and not voice.complete:
            yield move._replace(kind="audio")
        if voice.begun and not voice.complete:
            yield move._replace(kind="audio done")
    if w.budget.late:
        if voice.complete or answer.phase is Phase.DONE:
            yield move._replace(kind="late audio")
        if voice.ended:
            yield move._replace(kind="ended again", heard=w.chunk)
    if voice.sounds and voice.hushed:
        for heard in sorted({0, voice.handed // 2, voice.handed}):
            yield move._replace(kind="ended", heard=heard)
    elif voice.sounds:
        if voice.complete:
            yield move._replace(kind="ended", heard=voice.handed)
        if w.budget.losses or not w.voiced:
            yield move._replace(kind="lost", heard=voice.handed // 2)


def event_of(w: World, move: Move) -> Event:
    response, item = response_id(move.response), item_id(move)
    match move.kind:
        case "created" | "created due" | "created unasked" | "created again":
            return playbook.created(response)
        case "done" | "done again":
            return playbook.done(response)
        case "added":
            return playbook.added(item, of=response)
        case "audio" | "late audio":
            return playbook.audio(item, samples=w.chunk, of=response)
        case "audio done":
            return playbook.audio_done(item)
        case "ended" | "ended again" | "lost":
            return playbook.ended(item, samples=move.heard)
        case "speech started":
            return playbook.speech_started("U")
        case "speech stopped":
            return playbook.speech_stopped("U")
        case "stop":
            return events.Interrupted()
        case "typed":
            return events.Typed("hello")
        case "timer":
            return events.TimerDue("tea")
        case "speaker lost":
            return events.SpeakerLost("unplugged")
        case "pressed":
            return events.TalkPressed()
        case "spoke":
            return playbook.heard(ms=100)
        case "released":
            return events.TalkReleased()
        case "refused":
            return playbook.error("invalid_value", event_id=w.create_id)
        case "refused: already answering":
            return playbook.error("conversation_already_has_active_response", event_id=w.create_id)
        case "answer overdue":
            return events.AlarmRang("answer")
    raise NotImplementedError(move.kind)


def judge(w: World, move: Move, effects: tuple[Effect, ...], state: Conversation) -> World:
    """The world after this, or the first property that does not hold of it."""
    if any(isinstance(effect, Quit) for effect in effects):
        raise BrokenRuleError("quit", "nobody wanted to leave")
    now = _happen(w, move)
    _check_voices(w, now, move, effects)
    now = _spoken(now, move, effects)
    now = _settled(w, now, move, effects)
    now = _cancelled(now, effects)
    now = _asked(now, effects)
    now = _shown(now, effects)
    _check_counts(now, state)
    return _without_the_past(now)


def _happen(w: World, move: Move) -> World:
    """What the event alone changes."""
    left = w.budget
    match move.kind:
        case "speech started":
            w = _take(w._replace(budget=left._replace(turns=left.turns - 1)), spoke=True)
            return w._replace(speaking=True)
        case "speech stopped":
            return w._replace(speaking=False, due=Cause.LIVE, owed=False)
        case "stop":
            return _take(w._replace(budget=left._replace(stops=left.stops - 1)), owed=False)
        case "typed":
            return _take(w._replace(budget=left._replace(lines=left.lines - 1)), owed=True)
        case "timer":
            return w._replace(budget=left._replace(timers=left.timers - 1), owed=True)
        case "speaker lost":
            return w._replace(budget=left._replace(muteness=left.muteness - 1), voiced=False)
        case "pressed":
            w = _take(w._replace(budget=left._replace(presses=left.presses - 1)), owed=False)
            return w._replace(held=True, spoken=False)
        case "spoke":
            return w._replace(spoken=True)
        case "released":
            return w._replace(held=False, spoken=False, owed=w.owed or w.spoken)
        case "refused":
            return w._replace(budget=left._replace(refusals=left.refusals - 1), ours=Cause.NONE)
        case "refused: already answering":
            answer = w.answers[move.response]
            w = _with_answer(w, move.response, answer._replace(crossed=False))
            return w._replace(ours=Cause.NONE, owed=w.owed or not answer.silent)
        case "answer overdue":
            w = w._replace(budget=left._replace(waits=left.waits - 1))
            if any(answer.phase is Phase.ACTIVE for answer in w.answers):
                return w
            return w._replace(ours=Cause.NONE, due=Cause.NONE)
        case "created" | "created due" | "created unasked":
            return _created(w, move)
        case "done":
            return _done(w, move.response)
        case "created again" | "done again":
            return w._replace(budget=left._replace(late=left.late - 1))
    return _happen_to_voice(w, move)


def _take(w: World, *, spoke: bool = False, owed: bool | None = None) -> World:
    """The user has the floor: nothing that is known by now may be played any more."""
    answers = []
    for answer in w.answers:
        if answer.phase is Phase.COMING:
            answers.append(answer)
            continue
        active = answer.phase is Phase.ACTIVE
        answers.append(
            answer._replace(
                silent=True,
                cancelled=answer.cancelled or (active and spoke),
                cancel_due=active and not spoke and not answer.cancelled,
                voices=tuple(
                    voice._replace(ended=True, unheard=True)
                    if w.voiced and voice.begun and not voice.handed and not voice.ended
                    else voice._replace(hushed=voice.sounds)
                    for voice in answer.voices
                ),
            )
        )
    return w._replace(
        answers=tuple(answers),
        ours=w.ours and Cause.DENIED,
        due=w.due and Cause.DENIED,
        owed=w.owed if owed is None else owed,
    )


def _created(w: World, move: Move) -> World:
    cause = w.due if move.kind == "created due" else w.ours
    silent = cause is Cause.DENIED or w.speaking or w.held
    unasked = move.kind == "created unasked"
    answer = w.answers[move.response]._replace(
        phase=Phase.ACTIVE, silent=silent, cancel_due=silent, crossed=unasked and bool(w.ours)
    )
    w = _with_answer(w, move.response, answer)
    if unasked:
        return w._replace(budget=w.budget._replace(unasked=w.budget.unasked - 1))
    return w._replace(due=Cause.NONE) if move.kind == "created due" else w._replace(ours=Cause.NONE)


def _done(w: World, response: int) -> World:
    answer = w.answers[response]
    voices = tuple(
        voice._replace(complete=True, ended=voice.ended or not voice.handed) if voice.begun else voice
        for voice in answer.voices
    )
    return _with_answer(w, response, answer._replace(phase=Phase.DONE, cancel_due=False, voices=voices))


def _happen_to_voice(w: World, move: Move) -> World:
    answer = w.answers[move.response]
    voice = answer.voices[move.item]
    late = "late" in move.kind or "again" in move.kind
    if late:
        w = w._replace(budget=w.budget._replace(late=w.budget.late - 1))
    if move.kind in ("added", "audio") and not voice.begun:
        voice = voice._replace(begun=True, ended=answer.silent, unheard=answer.silent)
    match move.kind:
        case "audio":
            voice = voice._replace(chunks=voice.chunks - 1, arrived=voice.arrived + w.chunk)
        case "late audio" if voice.begun:
            voice = voice._replace(arrived=voice.arrived + w.chunk)
        case "audio done":
            voice = voice._replace(complete=True)
        case "ended" | "lost":
            unheard = not _whole(w, answer, voice, move) and not _ms(move.heard)
            voice = voice._replace(ended=True, unheard=unheard)
            if move.kind == "lost" and w.voiced:
                w = w._replace(budget=w.budget._replace(losses=w.budget.losses - 1))
    return _with_voice(w, move, voice)


def _check_voices(before: World, now: World, move: Move, effects: tuple[Effect, ...]) -> None:
    """P2, and the end of each voice: what is hushed and finished is what sounds, each once."""
    hushed = [effect.item_id for effect in effects if isinstance(effect, Hush)]
    finished = [effect.item_id for effect in effects if isinstance(effect, Finish)]
    to_hush, to_finish = [], []
    for response, (was, answer) in enumerate(zip(before.answers, now.answers, strict=True)):
        if was is answer:
            continue
        for item, (old, voice) in enumerate(zip(was.voices, answer.voices, strict=True)):
            if voice.hushed and not old.hushed:
                to_hush.append(item_id(Move("", response, item)))
            if voice.complete and not old.complete and voice.sounds and not voice.hushed:
                to_finish.append(item_id(Move("", response, item)))
    if sorted(hushed) != to_hush:
        raise BrokenRuleError("P2", f"{move}: hushed {hushed}, but {to_hush} sounded")
    if sorted(finished) != to_finish:
        raise BrokenRuleError("finish", f"{move}: finished {finished} instead of {to_finish}")


def _spoken(w: World, move: Move, effects: tuple[Effect, ...]) -> World:
    """P1 and P5: what comes in time for the holder of the floor is handed over, and nothing else is."""
    played = [effect for effect in effects if isinstance(effect, Play)]
    answer = w.answers[move.response]
    voice = answer.voices[move.item]
    if played and (answer.silent or played[0].item_id != item_id(move)):
        raise BrokenRuleError("P1", f"{move}: {played} although the user took the floor")
    audible = move.kind == "audio" and w.voiced and not answer.silent and not voice.ended
    if [effect.samples for effect in played] != [w.chunk] * audible:
        raise BrokenRuleError("P5", f"{move}: {played} were handed over")
    return _with_voice(w, move, voice._replace(handed=voice.handed + w.chunk)) if audible else w


def _settled(before: World, w: World, move: Move, effects: tuple[Effect, ...]) -> World:
    """P3 and P4: the server is told what was heard of each voice, once, when it is known."""
    sent = [effect.event for effect in effects if isinstance(effect, Send)]
    truncated = [
        (event.item_id, event.audio_end_ms) for event in sent if isinstance(event, ConversationItemTruncate)
    ]
    deleted = [event.item_id for event in sent if isinstance(event, ConversationItemDelete)]
    to_truncate, to_delete = [], []
    if move.kind in ("ended", "lost"):
        answer = w.answers[move.response]
        voice = answer.voices[move.item]
        if not _whole(w, answer, voice, move) and not voice.unheard:
            to_truncate.append((item_id(move), _ms(move.heard)))
            w = _with_voice(w, move, voice._replace(told=True))
    for response, answer in enumerate(w.answers):
        if answer.phase is not Phase.DONE:
            continue
        for item, voice in enumerate(answer.voices):
            if voice.unheard and not voice.told:
                to_delete.append(item_id(Move("", response, item)))
                w = _with_voice(w, Move("", response, item), voice._replace(told=True))
    for told, _ in truncated:
        if any(
            item_id(Move("", response, item)) == told and voice.told
            for response, answer in enumerate(before.answers)
            for item, voice in enumerate(answer.voices)
        ):
            raise BrokenRuleError("P3", f"{move}: {told} is truncated again")
    if truncated != to_truncate or sorted(deleted) != to_delete:
        raise BrokenRuleError(
            "P4",
            f"{move}: truncated {truncated} instead of {to_truncate}, "
            f"deleted {deleted} instead of {to_delete}",
        )
    return w


def _cancelled(w: World, effects: tuple[Effect, ...]) -> World:
    """P8: by us only if not by the server, once, and after all that sounded of it is truncated."""
    sent = [effect.event for effect in effects if isinstance(effect, Send)]
    cancels = [event.response_id for event in sent if isinstance(event, ResponseCancel)]
    expected = []
    for response, answer in enumerate(w.answers):
        if answer.cancel_due and not any(voice.hushed and not voice.ended for voice in answer.voices):
            expected.append(response_id(response))
            w = _with_answer(w, response, answer._replace(cancel_due=False, cancelled=True))
    if cancels != expected:
        raise BrokenRuleError("P8", f"cancelled {cancels} instead of {expected}")
    kinds = [type(event) for event in sent]
    if cancels and ConversationItemTruncate in kinds[kinds.index(ResponseCancel) :]:
        raise BrokenRuleError("P8", "a cancellation goes before a truncation")
    return w


def _asked(w: World, effects: tuple[Effect, ...]) -> World:
    """One response at a time; none that is owed is forgotten; none is waited for without an alarm."""
    creates = [e.event for e in effects if isinstance(e, Send) and isinstance(e.event, ResponseCreate)]
    active = any(answer.phase is Phase.ACTIVE for answer in w.answers)
    allowed = not (w.ours or w.due or active or w.speaking or w.held)
    if len(creates) != (w.owed and allowed):
        raise BrokenRuleError("one at a time", f"asked for {len(creates)} responses; {w.owed=} {allowed=}")
    if creates:
        w = w._replace(owed=False, ours=Cause.LIVE, create_id=str(creates[0].event_id))
    for effect in effects:
        if isinstance(effect, SetAlarm | ClearAlarm) and effect.name == "answer":
            w = w._replace(alarm=isinstance(effect, SetAlarm))
    crossed = any(answer.crossed for answer in w.answers)
    if ((w.ours and not crossed) or (w.due and not w.speaking)) and not w.alarm:
        raise BrokenRuleError("alarm", "a response is waited for without end")
    return w


def _shown(w: World, effects: tuple[Effect, ...]) -> World:
    """A line that begins ends, once."""
    lines = w.lines
    for effect in effects:
        shown = effect.what if isinstance(effect, Show) else None
        if isinstance(shown, Awaited | LineEnded) and shown.role == "assistant":
            begins = isinstance(shown, Awaited)
            if (shown.item_id in lines) is begins:
                raise BrokenRuleError("lines", f"{shown} while {lines} are open")
            lines = tuple(sorted({*lines} ^ {shown.item_id}))
    return w if lines == w.lines else w._replace(lines=lines)


def _check_counts(w: World, state: Conversation) -> None:
    """P5: what the state counts is what happened; and of what is over it keeps nothing."""
    over = True
    for response, answer in enumerate(w.answers):
        over = over and answer.phase is not Phase.ACTIVE
        for item, voice in enumerate(answer.voices):
            if not voice.begun or voice.ended:
                continue
            over = False
            utterance = state.utterances.get(item_id(Move("", response, item)))
            counted = utterance and (utterance.handed, utterance.arrived)
            if counted != (voice.handed, voice.arrived):
                raise BrokenRuleError("P5", f"the state counts {counted} instead of {voice}")
    if over and w.lines:
        raise BrokenRuleError("lines", f"{w.lines} are never ended")
    if over and (state.utterances or state.answers or state.holder in state.answers):
        raise BrokenRuleError("memory", f"of what is over it keeps {state.utterances} {state.answers}")


def _without_the_past(w: World) -> World:
    """The same world without what can make no difference any more, so that fewer worlds are different."""
    for response, answer in enumerate(w.answers):
        if answer.phase is Phase.COMING:
            continue
        voices = tuple(
            voice._replace(arrived=0, handed=0, hushed=False) if voice.ended else voice
            for voice in answer.voices
        )
        answer = answer._replace(voices=voices)
        if answer.phase is Phase.DONE:
            voices = tuple(voice._replace(chunks=0) for voice in voices)
            silent = answer.silent or not any(voice.sounds for voice in voices)
            answer = answer._replace(silent=silent, cancelled=True, voices=voices)
        w = _with_answer(w, response, answer)
    return w


def _whole(w: World, answer: Answer, voice: Voice, move: Move) -> bool:
    """What has not sounded of it was never said, or is read because nothing can sound any more."""
    read = not w.voiced and not answer.silent
    return read or (voice.complete and _ms(move.heard) >= _ms(voice.arrived))


def _ms(samples: int) -> int:
    return samples // SAMPLES_PER_MS


def _with_answer(w: World, response: int, answer: Answer) -> World:
    return w._replace(answers=(*w.answers[:response], answer, *w.answers[response + 1 :]))


def _with_voice(w: World, move: Move, voice: Voice) -> World:
    answer = w.answers[move.response]
    voices = (*answer.voices[: move.item], voice, *answer.voices[move.item + 1 :])
    return _with_answer(w, move.response, answer._replace(voices=voices))
