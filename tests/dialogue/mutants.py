"""Rules of the dialogue, each broken in one place; the walk must see every one of them.

A mutant is a change of the source, so it breaks loudly when the rule that it is about is rewritten.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen

from rtassist.dialogue import (
    asking,
    barge_in,
    calls,
    duck,
    floor,
    hearing,
    limits,
    link,
    obeying,
    refusals,
    session,
    step,
    turns,
    unread,
)
from rtassist.dialogue.connection import Line
from rtassist.dialogue.state import Ducking, Sound


@frozen
class Mutant:
    name: str
    rule: Callable[..., Any]
    before: str
    after: str
    seen_as: str
    """The property that it breaks first."""
    mode: str = "instant"
    """What barge-in means where it is seen."""

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        source = textwrap.dedent(inspect.getsource(self.rule))
        assert source.count(self.before) == 1, f"{self.name}: the rule reads otherwise now"
        module = sys.modules[self.rule.__module__]
        code = compile(
            "from __future__ import annotations\n" + source.replace(self.before, self.after),
            f"<mutant: {self.name}>",
            "exec",
        )
        made: dict[str, Any] = {}
        exec(code, module.__dict__, made)  # so that it calls, and is called, as the original
        patch.setattr(module, self.rule.__name__, made[self.rule.__name__])
        for table in (step.SERVER_RULES, step.LOCAL_RULES):
            for kind, rule in table.items():
                if rule is self.rule:
                    patch.setitem(table, kind, made[self.rule.__name__])


@frozen
class WrongArrow:
    """A transition that there is not."""

    name: str
    start: Sound | Ducking | Line
    cause: str
    to: Sound | Ducking | Line
    seen_as: str
    mode: str = "instant"

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        tables: dict[Any, dict[str, Any]] = {**floor.TRANSITIONS, **duck.TRANSITIONS, **link.TRANSITIONS}
        patch.setitem(tables[self.start], self.cause, self.to)


MUTANTS: tuple[Mutant | WrongArrow, ...] = (
    # Who has the floor
    WrongArrow("a voice that has ended sounds again", Sound.ENDED, "audio", Sound.SOUNDING, "P1"),
    WrongArrow("a hushed voice goes on", Sound.HUSHED, "audio", Sound.HUSHED, "P1"),
    Mutant(
        "audio takes the floor",
        floor.audio,
        'TRANSITIONS[utterance.sound].get("audio")',
        "Sound.SOUNDING; do.change(holder=utterance.response_id)",
        "P1",
    ),
    Mutant(
        "an item of a silenced response has a voice",
        floor.open_utterance,
        "response_id != do.state.holder",
        "False",
        "P1",
    ),
    Mutant("the floor is not taken", floor.take, "holder=None", "holder=do.state.holder", "P1"),
    Mutant("a denial is forgotten", floor.take, "denied=True", "denied=False", "P8"),
    Mutant("a denied response gets the floor", floor.created, "if denied:", "if False:", "P8"),
    Mutant("the floor is given during speech", floor.created, "state.turn_is_certain or", "", "P8"),
    Mutant("the floor is given during a held key", floor.created, "or state.talk_held", "", "P8"),
    Mutant(
        "the turn before is still to be answered",
        floor.take,
        "if request.event_id is not None or not user_spoke",
        "",
        "P8",
    ),
    Mutant(
        "a response that is announced twice begins twice",
        floor.created,
        "if response_id in state.answers:",
        "if False:",
        "P2",
    ),
    Mutant(
        "late audio of a finished response is played",
        turns.assistant_line_began,
        "or answer.done",
        "",
        "P5",
    ),
    Mutant("audio after the end is played", floor.audio, "utterance.audio_done or ", "", "P5"),
    Mutant("what is read is heard from its middle on", floor.audio, " or utterance.written", "", "P5"),
    Mutant("what is read is not kept apart", turns.read_to_the_end, "written=True", "written=False", "P5"),
    Mutant("what was read is cut", floor._settle, "utterance.written or ", "", "P4"),
    Mutant(
        "what has begun to be read is deleted when it is stopped",
        floor._hush_all,
        " and not utterance.written",
        "",
        "P4",
    ),
    Mutant("audio is not played", floor.audio, "do.ask(Play(", "((", "P5"),
    # Silence
    Mutant("nobody is hushed", floor.take, "_hush_all(do)", "pass", "P2"),
    Mutant(
        "only the first item is hushed",
        floor._hush_all,
        "do.ask(Hush(utterance.item_id))",
        "do.ask(Hush(utterance.item_id)); break",
        "P2",
    ),
    WrongArrow("what is hushed is hushed again", Sound.HUSHED, "taken", Sound.HUSHED, "P2"),
    Mutant("a voice is never finished", floor.audio_done, "do.ask(Finish(item_id))", "pass", "finish"),
    Mutant("a voice is finished twice", floor.audio_done, "or utterance.audio_done", "", "finish"),
    # Lowered
    Mutant("silence is lowered", duck.onset, " and state.sounding", "", "P9"),
    Mutant("what is hushed is lowered", duck.onset, "state.sounding", "not state.quiet()", "P9"),
    Mutant("nothing is lowered", step._onset_heard, "duck.onset(do)", "pass", "P9"),
    Mutant("the next voice begins low", floor.ended, "duck.ended(do)", "pass", "P9"),
    Mutant(
        "the voice is raised before it is hushed",
        floor.take,
        "duck.taken(do)",
        "duck.ended(do)",
        "P9",
    ),
    Mutant("who takes the floor confirms nothing", floor.take, "duck.taken(do)", "pass", "P9"),
    Mutant("words confirm nothing", floor.user_words, "take(do, Taker.USER_SPOKE)", "pass", "P2"),
    Mutant("any words take the floor", floor.user_words, "state.ducking is not Ducking.DUCKED or ", "", "P5"),
    Mutant(
        "lowered without end",
        duck._change,
        "do.ask(SetAlarm(DUCK_ALARM, do.now_us + RELEASE_US))",
        "pass",
        "P9",
    ),
    Mutant("its alarm is not set back", duck._change, "do.ask(ClearAlarm(DUCK_ALARM))", "pass", "P9"),
    Mutant("its alarm is not heard", duck.alarm_rang, '_change(do, "alarm")', "pass", "P9"),
    WrongArrow("lowered beyond the alarm", Ducking.DUCKED, "alarm", Ducking.DUCKED, "P9"),
    WrongArrow("lowered beyond the end", Ducking.DUCKED, "ended", Ducking.DUCKED, "P9"),
    WrongArrow("lowered beyond the user's floor", Ducking.CONFIRMED, "ended", Ducking.CONFIRMED, "P9"),
    WrongArrow("the voice pumps", Ducking.RELEASED, "onset", Ducking.DUCKED, "P9"),
    WrongArrow("the voice pumps on", Ducking.DUCKED, "alarm", Ducking.LOUD, "P9"),
    WrongArrow("no voice is lowered again", Ducking.RELEASED, "alarm", Ducking.RELEASED, "P9"),
    WrongArrow("a rest outlasts the user", Ducking.RELEASED, "taken", Ducking.RELEASED, "P9"),
    WrongArrow("a rest ends with the voice", Ducking.RELEASED, "ended", Ducking.LOUD, "P9"),
    # In doubt
    WrongArrow("a cough is not rested from", Ducking.DOUBTED, "noise", Ducking.LOUD, "P9", mode="confirm"),
    WrongArrow(
        "a cough leaves the voice low", Ducking.DOUBTED, "noise", Ducking.DOUBTED, "P9", mode="confirm"
    ),
    WrongArrow("in doubt without end", Ducking.DOUBTED, "alarm", Ducking.DOUBTED, "P9", mode="confirm"),
    WrongArrow("in doubt beyond the voice", Ducking.DOUBTED, "ended", Ducking.DOUBTED, "P9", mode="confirm"),
    WrongArrow(
        "words in doubt confirm nothing", Ducking.DOUBTED, "taken", Ducking.LOUD, "P9", mode="confirm"
    ),
    WrongArrow("a rest outlasts speech", Ducking.RELEASED, "speech", Ducking.RELEASED, "P9", mode="confirm"),
    WrongArrow("speech outlasts its alarm", Ducking.DUCKED, "speech", Ducking.DUCKED, "P9", mode="confirm"),
    Mutant("in doubt, and loud", barge_in.started, "duck.doubt(do)", "pass", "P9", mode="confirm"),
    Mutant(
        "a voice begins loud over who speaks", floor.audio, "duck.doubt(do)", "pass", "P9", mode="confirm"
    ),
    Mutant(
        "who waits for words waits without end",
        barge_in.stopped,
        "duck.speech_over(do)",
        "pass",
        "P9",
        mode="confirm",
    ),
    Mutant(
        "after a cough the voice stays low",
        barge_in.transcribed,
        "duck.nothing(do)",
        "pass",
        "P9",
        mode="confirm",
    ),
    Mutant(
        "unwritten, it stays low", barge_in.not_transcribed, "duck.nothing(do)", "pass", "P9", mode="confirm"
    ),
    Mutant(
        "a cough raises the voice over who speaks now",
        duck.nothing,
        "if turn is None or turn.verdict is not Verdict.DOUBTED:",
        "if True:",
        "P9",
        mode="confirm",
    ),
    Mutant(
        "whatever is heard over the voice takes the floor",
        barge_in.started,
        "verdict = Verdict.DOUBTED",
        "floor.take(do, Taker.USER_ACTED)",
        "P8",
        mode="confirm",
    ),
    Mutant(
        "nobody is at work before the voice",
        barge_in._at_work,
        "or (state.active is not None and state.active == state.holder)",
        "",
        "P8",
        mode="confirm",
    ),
    Mutant(
        "nobody is at work who is asked",
        barge_in._at_work,
        "not request.denied",
        "False",
        "P8",
        mode="confirm",
    ),
    Mutant(
        "a silenced answer is at work",
        barge_in._at_work,
        "and state.active == state.holder",
        "",
        "P8",
        mode="confirm",
    ),
    Mutant(
        "where nothing interrupts, words do",
        barge_in.started,
        "state.terms.barge_in == CONFIRM and ",
        "",
        "P4",
        mode="off",
    ),
    Mutant(
        "nothing is in doubt", barge_in.started, "verdict = Verdict.DOUBTED", "pass", "P8", mode="confirm"
    ),
    Mutant(
        "a cough takes the floor",
        barge_in.transcribed,
        "if not backchannels.is_one(text, do.state.terms.language):",
        "if True:",
        "P4",
        mode="confirm",
    ),
    Mutant(
        "words take nothing",
        barge_in._confirm,
        "floor.take(do, Taker.USER_ACTED)",
        "pass",
        "P8",
        mode="confirm",
    ),
    Mutant(
        "words leave the cancelling to the server",
        barge_in._confirm,
        "Taker.USER_ACTED",
        "Taker.USER_SPOKE",
        "P8",
        mode="confirm",
    ),
    Mutant(
        "a cough stays in the conversation",
        barge_in.transcribed,
        "_delete(do, item_id)",
        "pass",
        "P4",
        mode="confirm",
    ),
    Mutant(
        "what is in doubt is answered",
        barge_in.committed,
        "if turn.verdict is Verdict.DOUBTED:",
        "if False:",
        "P4",
        mode="confirm",
    ),
    Mutant(
        "a turn is not answered", barge_in.committed, "_answer(do)", "pass", "one at a time", mode="confirm"
    ),
    Mutant(
        "confirmed, and not answered",
        barge_in._confirm,
        "_answer(do)",
        "pass",
        "one at a time",
        mode="confirm",
    ),
    Mutant(
        "unwritten, and not answered",
        barge_in.not_transcribed,
        "_answer(do)",
        "pass",
        "one at a time",
        mode="confirm",
    ),
    Mutant(
        "what was said before a key interrupts behind it",
        floor._without_doubt,
        "verdict=Verdict.SETTLED if turn.committed else Verdict.SPOKEN",
        "",
        "P4",
        mode="confirm",
    ),
    Mutant(
        "a key leaves what is being said in doubt",
        floor._without_doubt,
        "else Verdict.SPOKEN",
        "else turn.verdict",
        "P4",
        mode="confirm",
    ),
    Mutant(
        "a cough before a key stays",
        floor._without_doubt,
        "Verdict.SETTLED if turn.committed else ",
        "",
        "memory",
        mode="confirm",
    ),
    Mutant(
        "the server is waited for, and we are to ask",
        hearing.speech_stopped,
        "if do.state.terms.asks_itself:",
        "if False:",
        "one at a time",
        mode="confirm",
    ),
    # What the server is told
    WrongArrow("a second report counts", Sound.ENDED, "report", Sound.ENDED, "P3"),
    Mutant("cut at what arrived", floor._settle, "= utterance.heard //", "= utterance.arrived //", "P4"),
    Mutant(
        "cut at what was handed over", floor._settle, "= utterance.heard //", "= utterance.handed //", "P4"
    ),
    Mutant(
        "milliseconds are rounded up",
        floor._settle,
        "utterance.heard // SAMPLES_PER_MS",
        "-(-utterance.heard // SAMPLES_PER_MS)",
        "P4",
    ),
    Mutant(
        "milliseconds are rounded to the nearest",
        floor._settle,
        "utterance.heard // SAMPLES_PER_MS",
        "round(utterance.heard / SAMPLES_PER_MS)",
        "P4",
    ),
    Mutant("deleted although heard", floor._settle, "if heard_ms == 0", "if True", "P4"),
    Mutant("cut to nothing", floor._settle, "if heard_ms == 0", "if False", "P4"),
    Mutant(
        "left alone although cut",
        floor._settle,
        "or (_heard_whole(utterance) and not utterance.short)",
        "or True",
        "P4",
    ),
    Mutant(
        "cut although heard to its end",
        floor._settle,
        "or (_heard_whole(utterance) and not utterance.short)",
        "",
        "P4",
    ),
    Mutant("heard as far as it came is whole", floor._heard_whole, "utterance.audio_done and", "", "P4"),
    Mutant(
        "deleted while its response goes on",
        floor._delete_unheard,
        "and do.state.answers[utterance.response_id].done",
        "",
        "P4",
    ),
    Mutant(
        "not deleted",
        floor.done,
        "_delete_unheard(do, do.state.utterances[utterance.item_id])",
        "pass",
        "P4",
    ),
    Mutant(
        "what never sounded is left alone",
        floor._hush_all,
        "fate=Fate.UNHEARD",
        "fate=Fate.WHOLE",
        "P4",
    ),
    Mutant(
        "what arrives is not counted", floor.audio, "utterance.arrived + samples", "utterance.arrived", "P5"
    ),
    Mutant(
        "what is handed over is not counted",
        floor.audio,
        "utterance.handed + handed",
        "utterance.handed",
        "P5",
    ),
    # Cancellation
    Mutant("cancelled beside the server", floor.take, "if user_spoke:", "if False:", "P8"),
    Mutant("never cancelled", floor._cancel_when_truncated, "_cancel(do, response_id)", "pass", "P8"),
    Mutant(
        "cancelled before it is truncated", floor._cancel_when_truncated, "is Sound.HUSHED", "is None", "P8"
    ),
    Mutant(
        "cancelled twice",
        floor.take,
        "elif state.answers[state.active].cancel is Cancel.NO:",
        "else:",
        "P8",
    ),
    Mutant("cancelled when it is done", floor.done, ", cancel=Cancel.NO", "", "P8"),
    Mutant(
        "a cancellation before a truncation in one breath",
        floor.ended,
        "_settle(do, utterance, hushed)\n    _cancel_when_truncated(do, utterance.response_id)",
        "_cancel_when_truncated(do, utterance.response_id)\n    _settle(do, utterance, hushed)",
        "P8",
    ),
    # One response at a time
    Mutant(
        "asked while one is being made",
        asking.ask_when_allowed,
        "or state.active is not None",
        "",
        "one at a time",
    ),
    Mutant(
        "asked while one is on its way", asking.ask_when_allowed, "or state.requests", "", "one at a time"
    ),
    Mutant(
        "asked while the user talks",
        asking.ask_when_allowed,
        "if state.user_speaks or state.talk_held or",
        "if",
        "one at a time",
    ),
    Mutant(
        "asked before what was heard is told",
        asking.ask_when_allowed,
        "is Sound.HUSHED",
        "is None",
        "one at a time",
    ),
    Mutant("asked again and again", asking.ask_when_allowed, "wanted=False, ", "", "one at a time"),
    Mutant("asked beside the server's own", asking.answer_due, ", wanted=wanted", "", "one at a time"),
    Mutant(
        "the server's own answer is taken for ours",
        floor._asked_for,
        "next(due, requests[0] if requests else Request(None))",
        "requests[0] if requests else Request(None)",
        "P8",
    ),
    Mutant("asked after stop", obeying.interrupt, "wanted=False, ", "", "one at a time"),
    Mutant("never asked later", step.close, "asking.ask_when_allowed(do)", "pass", "one at a time"),
    Mutant(
        "a refusal is not noticed",
        asking.answer_refused,
        "if request.event_id != event_id",
        "",
        "one at a time",
    ),
    Mutant(
        "refused by one in the way, and forgotten",
        asking.answer_in_the_way,
        "do.change(wanted=True)",
        "pass",
        "one at a time",
    ),
    Mutant(
        "refused by one in the way, and asked again after stop",
        asking.answer_in_the_way,
        "if stopped:",
        "if False:",
        "one at a time",
    ),
    Mutant(
        "waited for without end",
        asking.ask_when_allowed,
        "do.ask(SetAlarm(ANSWER_ALARM, do.now_us + ANSWER_WAIT_US))",
        "pass",
        "alarm",
    ),
    Mutant(
        "the server's answer is waited for without end",
        asking.answer_due,
        "do.ask(SetAlarm(ANSWER_ALARM, do.now_us + ANSWER_WAIT_US))",
        "pass",
        "alarm",
    ),
    Mutant("an overdue answer blocks the next", asking.answer_overdue, "requests=()", "", "one at a time"),
    Mutant("what a function finds is told after stop", calls.over, "call.speak and", "", "one at a time"),
    Mutant(
        "what is called after stop is told", calls.keep_quiet, "quiet=True", "quiet=False", "one at a time"
    ),
    Mutant(
        "what a function finds is not told", calls.over, "asking.want_answer(do)", "pass", "one at a time"
    ),
    # What is shown
    Mutant(
        "the line of what was never heard is not ended",
        turns.end_line_when_over,
        "over = cut or words_over",
        "over = words_over and not cut",
        "lines",
    ),
    Mutant(
        "a line is ended twice",
        turns.end_line_when_over,
        "if utterance.line_ended:\n        return",
        "",
        "lines",
    ),
    Mutant(
        "what nobody will hear is announced",
        turns.assistant_line_began,
        "if response_id == state.holder:",
        "if True:",
        "lines",
    ),
    # Memory
    Mutant(
        "what still sounds is forgotten",
        turns.forget,
        "u.sound in (Sound.ENDED, Sound.NONE)",
        "True",
        "P5",
    ),
    Mutant(
        "what is still to be deleted is forgotten",
        turns.forget,
        "and state.answers[u.response_id].done",
        "",
        "P4",
    ),
    Mutant("nothing is forgotten", step.close, "turns.forget(do)", "pass", "memory"),
    Mutant("responses are not forgotten", turns.forget, "if over:", "if False:", "memory"),
    Mutant(
        "the session ends by itself",
        session.conclude,
        "state.ending is not Ending.WHEN_QUIET or ",
        "",
        "alarm",
    ),
)

CUT_OFF: tuple[Mutant | WrongArrow, ...] = (
    Mutant("nothing is kept", link._leave_session, "do.ask(Keep(", "((", "P10"),
    Mutant("asked behind what was kept", link.stands, "unread.delivered(do)", "pass", "one at a time"),
    Mutant("nobody dials", link.redial, "do.ask(Dial())", "pass", "P10"),
    Mutant("nobody tries again", link._try_again, "do.ask(SetAlarm(REDIAL_ALARM, redial_us))", "pass", "P10"),
    Mutant("what was opened is not taken", link.opened, "do.ask(Switch())", "pass", "P10"),
    Mutant("what was kept is not delivered", link.stands, "do.ask(Deliver())", "pass", "P10"),
    Mutant(
        "the spare connection is forgotten", link._lose, "if link.spare is Spare.READY", "if False", "P10"
    ),
    Mutant(
        "it is handed over at any time",
        link.hand_over_when_quiet,
        "if not (state.quiet()",
        "if (False",
        "alarm",
    ),
    Mutant(
        "it is never handed over", link.hand_over_when_quiet, "if not (state.quiet()", "if not (False", "P10"
    ),
    Mutant("what is sent goes nowhere", step.step, "if do.state.between:", "if False:", "P10"),
    Mutant("asked without a session", asking.ask_when_allowed, "not state.ready or", "", "one at a time"),
    Mutant("a session that is over is ready", link._leave_session, "ready=False,", "", "one at a time"),
    WrongArrow("a failure is a connection", Line.DIALLING, "failed", Line.OPENING, "P10"),
    WrongArrow("a loss is a connection", Line.UP, "lost", Line.OPENING, "P10"),
    Mutant(
        "the next server is told of the last one's item",
        floor._settle,
        "utterance.lost or",
        "",
        "P4",
    ),
    Mutant(
        "the next server is to delete the last one's item",
        floor._delete_unheard,
        "if utterance.lost:",
        "if False:",
        "P4",
    ),
    Mutant("what is lost is not over", floor.lose, "done(do, answer.id)", "pass", "memory"),
    Mutant(
        "asked before it is known what was heard",
        asking.ask_when_allowed,
        "utterance.lost and",
        "False and",
        "one at a time",
    ),
    Mutant(
        "a lost request is forgotten",
        link._leave_session,
        "if (asked or halved)",
        "if False",
        "one at a time",
    ),
    Mutant("half an answer is enough", link._leave_session, "asked or halved", "asked", "one at a time"),
    Mutant(
        "a whole answer is asked for again",
        link._whole,
        "not any(map(floor.is_short, parts))",
        "False",
        "one at a time",
    ),
    Mutant(
        "asked again and what was said is said again",
        link._leave_session,
        "and not answered",
        "",
        "one at a time",
    ),
    Mutant(
        "what was in doubt is waited for",
        barge_in.lost,
        "do.change(own_turns={})",
        "pass",
        "memory",
        mode="confirm",
    ),
    Mutant("lowered for what is lost", barge_in.lost, "duck.nothing(do)", "pass", "P9", mode="confirm"),
    Mutant(
        "a cough answers what was asked",
        link._leave_session,
        "turn.verdict is Verdict.SPOKEN",
        "True",
        "one at a time",
        mode="confirm",
    ),
    Mutant(
        "asked, and said again",
        link._leave_session,
        "do.change(wanted=False)",
        "pass",
        "one at a time",
        mode="off",
    ),
    Mutant("lost requests are still waited for", link._leave_session, "requests=(),", "", "one at a time"),
    Mutant(
        "asked again without end", link._ask_again, "if do.state.asked_again:", "if False:", "one at a time"
    ),
)
"""Of what is done without a session."""

UNTOLD: tuple[Mutant | WrongArrow, ...] = (
    Mutant(
        "asked while a turn may be found that is not told",
        asking.ask_when_allowed,
        " or state.unread is not None",
        "",
        "one at a time",
    ),
    Mutant("asked behind what waits to be sent", unread.lags, "_doubt(do)", "pass", "one at a time"),
    Mutant("asked behind what is taken back", unread.take_back, "_doubt(do)", "pass", "one at a time"),
    Mutant("never proven", session.prove_read, "if unread", "if False and unread", "one at a time"),
    Mutant("proven by what was sent before", unread.answered, "== event_id", "is not None", "one at a time"),
    Mutant("not proven by an answer", unread.answered, "unread=None", "", "one at a time"),
    Mutant("proven again and again", unread.lags, "is None", "is not None", "one at a time"),
    Mutant(
        "a proof is waited for without end",
        unread.fenced,
        "do.ask(SetAlarm(ALARM, do.now_us + WAIT_US))",
        "pass",
        "alarm",
    ),
    Mutant("waited for beyond the alarm", unread.overdue, "unread=None", "", "one at a time"),
    Mutant(
        "an answer is due, and what was typed behind it is forgotten",
        asking.answer_due,
        "do.state.wanted and not microphone_on(do.state)",
        "False",
        "one at a time",
    ),
)
"""Of what is said and may be answered before we are told of it."""

FAILING = (
    Mutant(
        "a failed answer is not asked again",
        limits.broke_down,
        "_ask_again(do, _words_of(do, response_id))",
        "pass",
        "one at a time",
    ),
    Mutant(
        "a failed answer is asked again and again",
        limits.broke_down,
        "asked_again=True",
        "asked_again=False",
        "one at a time",
    ),
    Mutant(
        "asked again though it was heard",
        limits.broke_down,
        "part.handed or part.shown",
        "False",
        "one at a time",
    ),
    Mutant(
        "asked again though the user said stop",
        refusals.response_failed,
        "if response.id == do.state.holder in do.state.answers else None",
        "or response.id",
        "one at a time",
    ),
)
"""Of responses at which the server itself fails."""
