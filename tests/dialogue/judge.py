"""What the program owed for what happened: one check for each property, against the ghost history."""

from __future__ import annotations

from rtassist.dialogue.effects import (
    Awaited,
    ClearAlarm,
    Deliver,
    Dial,
    Duck,
    Effect,
    Finish,
    Hush,
    Keep,
    LineEnded,
    Play,
    Quit,
    Send,
    SetAlarm,
    Show,
    Switch,
    Unduck,
)
from rtassist.dialogue.state import Conversation
from rtassist.protocol import (
    ConversationItemDelete,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    ResponseCancel,
    ResponseCreate,
    Session,
    SessionUpdate,
)
from tests.dialogue.world import (
    Answer,
    Cause,
    Doubt,
    Line,
    Move,
    Phase,
    Turn,
    Unread,
    Voice,
    World,
    item_id,
    response_id,
    user_id,
)

SAMPLES_PER_MS = 24


class BrokenRuleError(AssertionError):
    """`rule` is the property that was broken."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


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
    now = _ducked(w, now, move, effects)
    now = _linked(w, now, move, effects)
    _check_counts(now, state)
    return _without_the_past(now)


def _happen(w: World, move: Move) -> World:
    """What the event alone changes."""
    left = w.budget
    match move.kind:
        case "speech started" if w.asks_itself:
            turn = Turn(left.turns, Doubt(w.mode == "confirm" and _at_work(w)))
            return w._replace(
                budget=left._replace(turns=left.turns - 1),
                speaking=True,
                said=True,
                turns=(*w.turns, turn),
            )
        case "speech stopped" if w.asks_itself:
            return _with_turn(w._replace(speaking=False), len(w.turns) - 1, w.turns[-1]._replace(over=True))
        case "committed" | "words of it" | "written down" | "no words" | "not written down":
            return _happen_to_turn(w, move)
        case "speech started":
            w = _take(w._replace(budget=left._replace(turns=left.turns - 1)), spoke=True)
            return w._replace(found=True) if w.muted else w._replace(speaking=True, said=True)
        case "speech stopped":
            owed = w.owed and w.muted
            return w._replace(speaking=False, found=False, due=Cause.LIVE, owed=owed, asked_again=False)
        case "muted":
            w = w._replace(budget=left._replace(mutes=left.mutes - 1), muted=True, clearing=True)
            return _unsure(_broken_off(w._replace(found=w.speaking)))
        case "unmuted":
            return w._replace(muted=False)
        case "cleared":
            return _broken_off(w._replace(clearing=False, found=False))
        case "uplink lags":
            w = w._replace(budget=left._replace(lags=left.lags - 1))
            return w if w.unread else _unsure(w)
        case "update answered":
            fence, *others = w.updates
            return w._replace(unread=Unread.NO if fence else w.unread, updates=tuple(others))
        case "fence overdue":
            w = w._replace(budget=left._replace(waits=left.waits - 1), unread=Unread.NO)
            return w._replace(updates=(False,) * len(w.updates))
        case "stop":
            return _quieted(_take(w._replace(budget=left._replace(stops=left.stops - 1)), owed=False))
        case "function ended":
            speak = dict(w.calls)[move.response]
            w = w._replace(calls=tuple(call for call in w.calls if call[0] != move.response))
            return w._replace(owed=w.owed or speak, asked_again=w.asked_again and not speak)
        case "done and calls":
            w = w._replace(budget=left._replace(calls=left.calls - 1))
            calls = (*w.calls, (move.response, not w.answers[move.response].quiet))
            return _done(w, move.response)._replace(asked_again=False, calls=calls)
        case "typed":
            w = w._replace(budget=left._replace(lines=left.lines - 1), asked_again=False)
            return _take(w, owed=True)
        case "onset":
            return w._replace(budget=left._replace(onsets=left.onsets - 1))
        case "words":
            w = w._replace(budget=left._replace(words=left.words - 1))
            return _take(w, spoke=True) if w.lowered and not w.sure else w
        case "duck alarm":
            return w._replace(budget=left._replace(rests=left.rests - 1), duck_alarm=False)
        case "timer":
            w = w._replace(budget=left._replace(timers=left.timers - 1), asked_again=False)
            return w._replace(owed=True)
        case "speaker lost":
            w = w._replace(budget=left._replace(muteness=left.muteness - 1), voiced=False)
            return w._replace(updates=(*w.updates, *[False] * (w.line is Line.UP)))
        case "speaker back":
            w = w._replace(budget=left._replace(returns=left.returns - 1), voiced=True)
            w = w._replace(updates=(*w.updates, *[False] * (w.line is Line.UP)))
            return w._replace(answers=tuple(_read_on(answer) for answer in w.answers))
        case "pressed":
            w = _quieted(_take(w._replace(budget=left._replace(presses=left.presses - 1)), owed=False))
            return w._replace(held=True, spoken=False)
        case "spoke":
            return w._replace(spoken=True)
        case "released":
            again = w.asked_again and not w.spoken
            return w._replace(held=False, spoken=False, owed=w.owed or w.spoken, asked_again=again)
        case "refused":
            return w._replace(budget=left._replace(refusals=left.refusals - 1), ours=Cause.NONE)
        case "refused: already answering":
            answer = w.answers[move.response]
            again = not answer.silent if answer.crossed else w.ours is Cause.LIVE
            w = _with_answer(w, move.response, answer._replace(crossed=False))
            return w._replace(ours=Cause.NONE, owed=w.owed or again)
        case "answer overdue":
            w = w._replace(budget=left._replace(waits=left.waits - 1))
            if any(answer.phase is Phase.ACTIVE for answer in w.answers):
                return w
            return w._replace(ours=Cause.NONE, due=Cause.NONE)
        case "created" | "created due" | "created unasked":
            return _created(w, move)
        case "done":
            return _done(w, move.response)._replace(asked_again=False)
        case "fails":
            w = w._replace(budget=left._replace(breakdowns=left.breakdowns - 1))
            answer = w.answers[move.response]
            again = not (
                answer.silent or w.asked_again or any(voice.handed or voice.ended for voice in answer.voices)
            )
            w = _done(w, move.response)
            return w._replace(owed=w.owed or again, asked_again=w.asked_again or again)
        case "link lost":
            w = w._replace(budget=left._replace(drops=left.drops - 1))
            if w.line is not Line.UP:
                return _another(w)
            answered = w.said and not any(turn.doubt for turn in w.turns)
            again = not answered and _to_be_asked_again(w)
            owed = (w.owed and not (answered and w.asks_itself)) or (again and not w.asked_again)
            return _another(_left(w)._replace(owed=owed, asked_again=w.asked_again or again))
        case "redial":
            return w._replace(line=Line.DIALLING)
        case "link opened" if w.line is Line.DIALLING:
            return w._replace(line=Line.OPENED)
        case "link opened":
            return w._replace(spare=True, spare_coming=False)
        case "dial failed":
            w = w._replace(budget=left._replace(failures=left.failures - 1))
            return (
                w._replace(line=Line.WAITING) if w.line is Line.DIALLING else w._replace(spare_coming=False)
            )
        case "session created":
            return w._replace(line=Line.TOLD)
        case "session updated":
            return _unsure(w._replace(line=Line.UP))
        case "end is near":
            return w._replace(budget=left._replace(ends=left.ends - 1), spare_coming=True)
        case "created again" | "done again":
            return w._replace(budget=left._replace(late=left.late - 1))
    return _happen_to_voice(w, move)


def _unsure(w: World) -> World:
    """Turns may be found that nothing was told of; what was sent before proves nothing of them."""
    if not w.answers_by_itself:
        return w
    return w._replace(unread=Unread.SOME, updates=(False,) * len(w.updates))


def _broken_off(w: World) -> World:
    """The server will not find the end of what the user was saying."""
    return w._replace(speaking=False, said=w.said and not w.speaking)


def _at_work(w: World) -> bool:
    """The assistant speaks or is about to."""
    making = any(answer.phase is Phase.ACTIVE and not answer.silent for answer in w.answers)
    calls = any(speak for _, speak in w.calls)
    return w.sounds or making or calls or w.ours is Cause.LIVE or w.owed


def _happen_to_turn(w: World, move: Move) -> World:
    """What is known of what the user said, where words alone interrupt or nothing does."""
    turn = w.turns[move.turn]
    doubted = turn.doubt is Doubt.DOUBTED
    if move.kind == "committed":
        w = _with_turn(w, move.turn, turn._replace(committed=True))
        return w if doubted else w._replace(owed=True, asked_again=False)
    if move.kind in ("words of it", "written down") and doubted:
        w = _with_turn(w, move.turn, turn._replace(doubt=Doubt.NONE))
        w = _take(w, owed=w.owed or turn.committed)
        w = w._replace(asked_again=w.asked_again and not turn.committed)
    if move.kind == "not written down" and doubted:
        w = w._replace(owed=True, asked_again=False)
    if move.kind == "words of it":
        return w
    w = _with_turn(w, move.turn, None)
    return w._replace(said=bool(w.turns))


def _with_turn(w: World, index: int, turn: Turn | None) -> World:
    return w._replace(turns=(*w.turns[:index], *([turn] if turn else ()), *w.turns[index + 1 :]))


def _to_be_asked_again(w: World) -> bool:
    """Nothing, or not all, has come of what is waited for."""
    for answer in w.answers:
        if answer.phase is Phase.ACTIVE and not answer.silent:
            begun = [voice for voice in answer.voices if voice.begun]
            if not begun or any(map(_unfinished, begun)):
                return True
    taken = any(answer.phase is Phase.ACTIVE and answer.crossed for answer in w.answers)
    return w.due is Cause.LIVE or (w.ours is Cause.LIVE and not taken)


def _unfinished(voice: Voice) -> bool:
    """Without a transcript only its audio tells whether all of it has come."""
    return not (voice.complete and (voice.arrived or voice.ended))


def _left(w: World) -> World:
    """The session is over, with all that its server knew."""
    answers = []
    for response, answer in enumerate(w.answers):
        if answer.phase is Phase.COMING:
            answers.append(answer)
            continue
        lost = [
            voice._replace(lost=True, short=voice.short or _unfinished(voice))
            if voice.begun and not voice.lost
            else voice._replace(lost=True)
            for voice in answer.voices
        ]
        answer = answer._replace(voices=tuple(lost), cancelled=True)
        if answer.phase is Phase.ACTIVE:
            answer = _done(_with_answer(w, response, answer), response).answers[response]
        answers.append(answer._replace(crossed=False))
    return w._replace(
        answers=tuple(answers),
        ours=Cause.NONE,
        due=Cause.NONE,
        speaking=False,
        said=False,
        turns=(),
        alarm=False,
        unread=Unread.NO,
        updates=(),
    )


def _another(w: World) -> World:
    """What stands, or is on its way, is taken; else the next attempt is waited for."""
    line = Line.OPENED if w.spare else Line.DIALLING if w.spare_coming else Line.WAITING
    return w._replace(line=line, spare=False, spare_coming=False)


def _quiet(w: World) -> bool:
    return not any(
        (
            *(w.owed, w.ours, w.due, w.speaking, w.held, w.said, w.calls),
            *(a.phase is Phase.ACTIVE or any(v.sounds for v in a.voices) for a in w.answers),
        )
    )


def _read_on(answer: Answer) -> Answer:
    return answer._replace(
        voices=tuple(
            voice._replace(read=voice.begun and not voice.ended and not voice.hushed)
            for voice in answer.voices
        )
    )


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
                    if w.voiced and voice.begun and not (voice.handed or voice.ended or voice.read)
                    else voice._replace(hushed=voice.sounds)
                    for voice in answer.voices
                ),
            )
        )
    return w._replace(
        answers=tuple(answers),
        turns=tuple(
            turn._replace(doubt=Doubt.SETTLED if turn.committed else Doubt.NONE) if turn.doubt else turn
            for turn in w.turns
        ),
        ours=w.ours and Cause.DENIED,
        due=w.due and Cause.DENIED,
        owed=w.owed if owed is None else owed,
    )


def _quieted(w: World) -> World:
    """What is found by now, or by what is being made, is not spoken about."""
    answers = tuple(a._replace(quiet=a.quiet or a.phase is Phase.ACTIVE) for a in w.answers)
    return w._replace(answers=answers, calls=tuple((response, False) for response, _ in w.calls))


def _created(w: World, move: Move) -> World:
    cause = w.due if move.kind == "created due" else w.ours
    silent = cause is Cause.DENIED or w.certain or w.held
    unasked = move.kind == "created unasked"
    answer = w.answers[move.response]._replace(
        phase=Phase.ACTIVE, silent=silent, quiet=silent, cancel_due=silent, crossed=unasked and bool(w.ours)
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
            if move.kind == "lost" and w.voiced and not voice.read:
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
    audible = move.kind == "audio" and w.voiced and not (answer.silent or voice.ended or voice.read)
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
        if not _whole(w, answer, voice, move) and not (voice.unheard or voice.lost):
            to_truncate.append((item_id(move), _ms(move.heard)))
            w = _with_voice(w, move, voice._replace(told=True))
    for response, answer in enumerate(w.answers):
        if answer.phase is not Phase.DONE:
            continue
        for item, voice in enumerate(answer.voices):
            if voice.unheard and not (voice.told or voice.lost):
                to_delete.append(item_id(Move("", response, item)))
                w = _with_voice(w, Move("", response, item), voice._replace(told=True))
    if move.kind == "no words" and before.turns[move.turn].doubt:
        to_delete.append(user_id(before.turns[move.turn]))
    if any(isinstance(effect, Keep) for effect in effects):
        to_truncate, to_delete = [], []  # that server needs to know nothing any more
    for told, _ in truncated:
        if any(
            item_id(Move("", response, item)) == told and voice.told
            for response, answer in enumerate(before.answers)
            for item, voice in enumerate(answer.voices)
        ):
            raise BrokenRuleError("P3", f"{move}: {told} is truncated again")
    if truncated != to_truncate or sorted(deleted) != sorted(to_delete):
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
    """One response at a time; none that is owed is forgotten; none is waited for without an alarm.

    So a request of ours is on its way only where, by all that we have been told, no response is active or
    due, and none may be of which we could have been told.
    """
    w = _proven(w, effects)
    creates = [e.event for e in effects if isinstance(e, Send) and isinstance(e.event, ResponseCreate)]
    active = any(answer.phase is Phase.ACTIVE for answer in w.answers)
    voices = [voice for answer in w.answers for voice in answer.voices]
    told = not any((voice.hushed and not voice.ended) or (voice.lost and voice.sounds) for voice in voices)
    due = w.due or w.speaking or w.unread
    allowed = told and not (w.ours or due or active or w.held) and w.line is Line.UP
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


def _proven(w: World, effects: tuple[Effect, ...]) -> World:
    """What is owed waits for a proof that nothing is due, and for one only."""
    empty = Session(type="realtime")
    sent = [e.event for e in effects if isinstance(e, Send) and isinstance(e.event, SessionUpdate)]
    fences = [event for event in sent if event.session == empty] if w.line is Line.UP else []
    wanted = w.unread is Unread.SOME and w.owed and w.line is Line.UP
    if len(fences) != wanted:
        raise BrokenRuleError("one at a time", f"{len(fences)} fences are sent; {w.unread=} {w.owed=}")
    alarms = [effect for effect in effects if isinstance(effect, SetAlarm) and effect.name == "unread"]
    if len(alarms) != wanted:
        raise BrokenRuleError("alarm", "a fence is waited for without end")
    return w._replace(unread=Unread.FENCED, updates=(*w.updates, True)) if wanted else w


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


def _ducked(before: World, w: World, move: Move, effects: tuple[Effect, ...]) -> World:
    """P9: only what sounds is lowered, it is never left so without end, and the next voice begins loud."""
    ended = move.kind in ("ended", "lost")
    took = _took(before, move)
    alarm = move.kind == "duck alarm"
    doubts = _doubts(before, w, move) and not w.sure
    onset = move.kind == "onset" and before.sounds and not w.resting and not w.certain
    lowers = (onset or doubts) and not w.lowered
    verdict = move.kind == "link lost" or (
        move.kind in ("no words", "not written down") and before.turns[move.turn].doubt
    )
    nothing = bool(verdict) and w.doubting and not _doubted(w)
    raises = w.lowered and (ended or nothing or (alarm and not w.sure))
    asked = [type(effect) for effect in effects if isinstance(effect, Duck | Unduck)]
    if asked != [Duck] * lowers + [Unduck] * raises:
        raise BrokenRuleError("P9", f"{move}: {asked} while {w.lowered=} {w.sure=} {w.resting=}")
    lowered = (w.lowered or lowers) and not raises
    resting = (w.resting or (raises and (alarm or nothing))) and not (took or (alarm and before.resting))
    for effect in effects:
        if isinstance(effect, SetAlarm | ClearAlarm) and effect.name == "duck":
            w = w._replace(duck_alarm=isinstance(effect, SetAlarm))
    w = w._replace(
        lowered=lowered,
        sure=lowered and (w.sure or took),
        resting=resting and not doubts,
        doubting=lowered and (w.doubting or doubts) and not took,
    )
    waits = w.lowered and not w.sure and not (w.doubting and w.speaking)
    if (waits or w.resting) is not w.duck_alarm:
        raise BrokenRuleError("P9", f"{move}: {w.lowered=} {w.sure=} {w.resting=}, and {w.duck_alarm=}")
    if w.lowered and not any(voice.sounds for answer in w.answers for voice in answer.voices):
        raise BrokenRuleError("P9", f"{move}: lowered, and nothing sounds")
    return w


def _took(before: World, move: Move) -> bool:
    """The user has the floor by this."""
    if move.kind in ("words of it", "written down"):
        return before.turns[move.turn].doubt is Doubt.DOUBTED
    if move.kind == "words":
        return before.lowered and not before.sure
    return move.kind in ("stop", "typed", "pressed") or (
        move.kind == "speech started" and not before.asks_itself
    )


def _doubts(before: World, w: World, move: Move) -> bool:
    """The server hears something over a voice, and it may be no words."""
    if not _doubted(w):
        return False
    if move.kind == "speech started":
        return before.sounds
    if move.kind != "audio":
        return False
    was, voice = (world.answers[move.response].voices[move.item] for world in (before, w))
    return voice.handed > was.handed == 0


def _doubted(w: World) -> bool:
    return w.speaking and w.asks_itself and w.turns[-1].doubt is Doubt.DOUBTED


def _linked(before: World, w: World, move: Move, effects: tuple[Effect, ...]) -> World:
    """P10: without a session nothing is sent but what the next one wants; one is looked for, and taken."""
    wanted: list[type] = []
    match move.kind:
        case "link lost":
            wanted = [Keep] + [Switch] * before.spare
        case "redial" | "end is near":
            wanted = [Dial]
        case "link opened" if before.line is Line.DIALLING:
            wanted = [Switch]
        case "session updated":
            wanted = [Deliver]
    if w.spare and w.line is Line.UP and _quiet(w):
        wanted += [Keep, Switch]
        w = _left(w)._replace(line=Line.OPENED, spare=False)
    asked = [type(effect) for effect in effects if isinstance(effect, Keep | Switch | Dial | Deliver)]
    if asked != wanted:
        raise BrokenRuleError("P10", f"{move}: {asked} instead of {wanted}")
    sent = [type(effect.event) for effect in effects if isinstance(effect, Send)]
    if w.line is not Line.UP:
        allowed = (InputAudioBufferAppend, InputAudioBufferClear, InputAudioBufferCommit)
        others = [kind for kind in sent if kind not in allowed]
        if others != [SessionUpdate] * (move.kind == "session created"):
            raise BrokenRuleError("P10", f"{move}: {others} are sent without a session")
    redial = any(isinstance(effect, SetAlarm) and effect.name == "redial" for effect in effects)
    if redial is not (w.line is Line.WAITING and before.line is not Line.WAITING):
        raise BrokenRuleError("P10", f"{move}: {w.line} is waited for without end")
    return w


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
    known = {user_id(turn) for turn in w.turns}
    if not known.issuperset(state.own_turns):
        raise BrokenRuleError("memory", f"it waits for {state.own_turns}, and there is only {known}")
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
            voice._replace(arrived=0, handed=0, hushed=False, read=False) if voice.ended else voice
            for voice in answer.voices
        )
        answer = answer._replace(voices=voices)
        if answer.phase is Phase.DONE:
            voices = tuple(voice._replace(chunks=0) for voice in voices)
            silent = answer.silent or not any(voice.sounds for voice in voices)
            answer = answer._replace(silent=silent, quiet=True, cancelled=True, voices=voices)
        w = _with_answer(w, response, answer)
    return w


def _whole(w: World, answer: Answer, voice: Voice, move: Move) -> bool:
    """What has not sounded of it was never said, or is read because nothing can sound any more."""
    read = (voice.read or not w.voiced) and not answer.silent
    return read or (voice.complete and not voice.short and _ms(move.heard) >= _ms(voice.arrived))


def _ms(samples: int) -> int:
    return samples // SAMPLES_PER_MS


def _with_answer(w: World, response: int, answer: Answer) -> World:
    return w._replace(answers=(*w.answers[:response], answer, *w.answers[response + 1 :]))


def _with_voice(w: World, move: Move, voice: Voice) -> World:
    answer = w.answers[move.response]
    voices = (*answer.voices[: move.item], voice, *answer.voices[move.item + 1 :])
    return _with_answer(w, move.response, answer._replace(voices=voices))
