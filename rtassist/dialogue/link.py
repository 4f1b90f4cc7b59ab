"""The connection: what is done when it is lost, and before the end of its session.

A session does not outlive its connection, nor an hour. The conversation outlives both: the next session is
given the same settings and what was said so far, as it was heard, and then what the user has said meanwhile.

    {diagram}

`switched`: shortly before the session's end another connection is opened, and taken in a silence. Where there
is no silence in time, the session ends and it is as with any other loss, but for the wait.

What the microphone gave is kept from the moment on from which the lost session may not have understood it: a
sentence that only the dead server has heard is said to the next one again. An answer that was lost, or came
in half, is asked for again, once. What has come of it plays to its end, for the user is told nothing new by
cutting it, and the history has of it what was heard.
"""

from __future__ import annotations

import attrs

from rtassist.dialogue import asking, barge_in, changes, events, floor, remote, session, turns, unread
from rtassist.dialogue.connection import Line, Link, Spare
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import (
    ClearAlarm,
    Deliver,
    Dial,
    Effect,
    Keep,
    Listen,
    Notice,
    Outcome,
    Quit,
    Send,
    SetAlarm,
    Show,
    Switch,
)
from rtassist.dialogue.state import Conversation, Ending, Verdict
from rtassist.protocol import (
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    SessionCreated,
    SessionUpdate,
)

REDIAL_ALARM = "redial"
SPREAD_MS = 250
FIRST_DELAY_MS = 500
LONGEST_DELAY_MS = 8_000
LONGEST_GAP_US = 120_000_000
"""A router starts anew in one to two minutes, and a train leaves most tunnels; then nobody waits any more."""
STEADY_US = 10_000_000
"""A session that was lost sooner did not work: the attempts before it count on."""
MARGIN_US = 1_000_000
"""What the server had not heard yet, or not understood, when it was heard of last: its detector wants some
hundred ms, and has a padding of 300 ms before them."""
LONGEST_KEPT_US = 30_000_000
"""Of the user's words."""

HANDOVER_ALARM = "handover"
LEAD_US = 300_000_000
"""So long before a session's end the next connection is opened. In five minutes any monologue has a pause."""
HURRY_US = 60_000_000
"""From here on the end of a turn is enough, whatever else is under way. Both are less for a short session:
a quarter and a sixteenth of it."""
SPARE_AGAIN_US = 8_000_000

BROKEN_OFF = "The network broke off your last answer. Go on where it ends; do not begin it again."

TRANSITIONS: dict[Line, dict[str, Line]] = {
    Line.OPENING: {"stands": Line.UP, "lost": Line.WAITING, "expired": Line.DIALLING},
    Line.UP: {"lost": Line.WAITING, "expired": Line.DIALLING, "switched": Line.OPENING},
    Line.WAITING: {"alarm": Line.DIALLING},
    Line.DIALLING: {"opened": Line.OPENING, "failed": Line.WAITING},
}
"""Every change. What is not listed changes nothing."""

_REFUSALS = {
    3000: "Check the key that you set.",
    4000: "What it did not accept is in the recording; rtassist replay shows it.",
}


def diagram() -> str:
    """The table above as lines of text."""
    rows = [
        f"{start.value:<8} ── {cause:<8} → {end.value}"
        for start, arrows in TRANSITIONS.items()
        for cause, end in arrows.items()
    ]
    return "\n    ".join(rows)


__doc__ = (__doc__ or "").replace("{diagram}", diagram())


def delay_ms(attempt: int, chance: int) -> int:
    """How long to wait before attempt number `attempt` (1 is the first) in ms.

    The first comes at once, but spread over a quarter of a second, so that clients that lost one server do
    not come back in one moment; the next doubles from half a second up to eight, less up to a quarter.
    `chance` is a random number from 0 to 999. A session that was lost soon does not begin the count anew.
    """
    if attempt == 1:
        return SPREAD_MS * chance // 1000
    full: int = min(FIRST_DELAY_MS * 2 ** min(attempt - 2, 16), LONGEST_DELAY_MS)
    return full - full * chance // 4000


def told(link: Link, now_us: int) -> str:
    """How the connection stands, for a line that is always there; empty when there is nothing to say."""
    match link.line:
        case Line.WAITING:
            seconds = -(-max(0, link.redial_us - now_us) // 1_000_000)
            return f"no connection, attempt {link.attempt} in {seconds} s"
        case Line.DIALLING:
            return f"no connection, attempt {link.attempt} under way"
        case Line.OPENING if link.sessions:
            return "connected again, the session opens"
    return ""


def may_pass(effect: Effect) -> bool:
    """Whether it may be asked for while there is no session: what is sent to the one that is over, and what
    the next one learns with its history, may not.
    """
    return not isinstance(effect, Send) or isinstance(
        effect.event,
        SessionUpdate | InputAudioBufferAppend | InputAudioBufferCommit | InputAudioBufferClear,
    )


def opened(do: Draft, event: events.LinkOpened) -> None:
    """A connection stands: the one that was waited for, or the spare one."""
    link = do.state.link
    waited = "opened" in TRANSITIONS[link.line]
    if not (waited or link.spare is Spare.DIALLING or not link.sessions):
        return
    do.change_link(opened_us=do.now_us, opened_unix_s=event.unix_s)
    if waited:
        _change(do, "opened")
        do.ask(Switch())
    elif link.spare is Spare.DIALLING:
        do.change_link(spare=Spare.READY)


def created(do: Draft, event: SessionCreated) -> None:
    """The session has told of itself: when it ends, for one thing."""
    link = do.state.link
    if "stands" not in TRANSITIONS[link.line]:
        return
    at_s = getattr(event.session, "expires_at", None)
    lasts_s = at_s - link.opened_unix_s if isinstance(at_s, int) and link.opened_unix_s else 0
    if do.state.terms.reconnects and lasts_s > 0:
        expires_us = link.opened_us + lasts_s * 1_000_000
        do.change_link(expires_us=expires_us, lasts_us=lasts_s * 1_000_000)
        do.ask(SetAlarm(HANDOVER_ALARM, expires_us - min(LEAD_US, lasts_s * 250_000)))
    session.opened(do)


def stands(do: Draft) -> None:
    """The session stands, and is given all that there is to know."""
    link = do.state.link
    if "stands" not in TRANSITIONS[link.line]:
        return
    first = not link.sessions
    _change(do, "stands")
    do.change_link(sessions=link.sessions + 1, stood_us=do.now_us)
    session.begun(do, again=not first)
    if not first or link.lost_us is not None:
        do.ask(Deliver())
        unread.delivered(do)
    if do.state.ending is Ending.FENCED:
        session.fence(do)
    if link.lost_us is not None:
        seconds = round((do.now_us - link.lost_us) / 1_000_000)
        after = f" after {seconds} s" if seconds else ""
        goes_on = "" if first else " The conversation goes on."
        do.ask(Show(Notice(f"Connected again{after}.{goes_on}")))
    elif not first:
        do.ask(Show(Notice("The session was near its end: the conversation goes on in another.", "debug")))
    if first:
        do.ask(Listen())
        session.greet(do)


def lost(do: Draft, event: events.LinkLost) -> None:
    """The connection ended: another one, if that can help."""
    state = do.state
    if "lost" not in TRANSITIONS[state.link.line]:
        return
    if event.code in _REFUSALS:
        do.ask(Quit(Outcome.REFUSED, f"{event.sentence} {_REFUSALS[event.code]}"))
    elif not (state.terms.reconnects and event.recoverable):
        do.ask(Quit(Outcome.LINK_LOST, event.sentence))
    else:
        _lose(do, "lost", event.sentence, event.silent_ms * 1000, event.chance)


def expired(do: Draft) -> None:
    """The server said that the session is over; the end of the connection follows."""
    if "expired" in TRANSITIONS[do.state.link.line]:
        _lose(do, "expired", "The session reached its longest duration.", 0, 0)


def not_opened(do: Draft) -> None:
    """A session was begun again, and its server has not accepted its settings in time."""
    if "lost" in TRANSITIONS[do.state.link.line]:
        _lose(do, "lost", "The server opened a session and then did not accept its settings.", 0, 0)


def redial(do: Draft) -> None:
    if "alarm" in TRANSITIONS[do.state.link.line]:
        _change(do, "alarm")
        do.ask(Dial())


def dial_failed(do: Draft, event: events.DialFailed) -> None:
    link = do.state.link
    if "failed" in TRANSITIONS[link.line]:
        if event.outcome:
            do.ask(Quit(Outcome(event.outcome), event.sentence))
            return
        _change(do, "failed")
        why = "" if event.sentence == link.failure else f" {event.sentence}"
        do.change_link(failure=event.sentence)
        _try_again(do, f"No connection yet.{why}", event.chance)
    elif link.spare is Spare.DIALLING:
        do.change_link(spare=Spare.NONE)
        do.ask(SetAlarm(HANDOVER_ALARM, do.now_us + SPARE_AGAIN_US))
        do.ask(Show(Notice(f"The next session cannot be opened yet. {event.sentence}", "debug")))


def handover_due(do: Draft) -> None:
    """The session's end comes near: open the next connection; or, once it stands, do not wait for long."""
    link = do.state.link
    if link.line is not Line.UP or link.expires_us is None or do.now_us >= link.expires_us:
        return
    if link.spare is Spare.NONE:
        do.change_link(spare=Spare.DIALLING)
        do.ask(Dial())
    hurry_us = _hurry_us(link)
    if do.now_us < hurry_us:
        do.ask(SetAlarm(HANDOVER_ALARM, hurry_us))


def hand_over_when_quiet(do: Draft) -> None:
    """Take the spare connection where nobody notices it."""
    state, link = do.state, do.state.link
    if link.spare is not Spare.READY or link.line is not Line.UP or state.over:
        return
    in_a_hurry = link.expires_us is not None and do.now_us >= _hurry_us(link)
    if not (state.quiet() or (in_a_hurry and _between_turns(state))):
        return
    _leave_session(do, do.now_us - MARGIN_US // 2)
    _change(do, "switched")
    do.change_link(spare=Spare.NONE, attempt=0, lost_us=None)
    do.ask(Switch())


def _hurry_us(link: Link) -> int:
    assert link.expires_us is not None
    return link.expires_us - min(HURRY_US, link.lasts_us // 16)


def _between_turns(state: Conversation) -> bool:
    return not (
        state.user_speaks
        or state.talk_held
        or state.active
        or state.requests
        or state.wanted
        or state.say
        or state.own_turns
        or state.sounding
    )


def _change(do: Draft, cause: str) -> None:
    do.change_link(line=TRANSITIONS[do.state.link.line][cause])


def _lose(do: Draft, cause: str, sentence: str, silent_us: int, chance: int) -> None:
    """Leave the session and look for another one; the spare connection, if there is one, is it."""
    link = do.state.link
    lasted = link.line is Line.UP and do.now_us - link.stood_us >= STEADY_US
    _leave_session(do, do.now_us - silent_us - MARGIN_US)
    _change(do, cause)
    if lasted or link.lost_us is None:
        do.change_link(attempt=0, lost_us=do.now_us, failure="")
    if link.line is Line.UP and not lasted and link.lost_us is not None:
        do.change(images=())  # should it be one of them that ends the connection
    do.change_link(spare=Spare.NONE)
    if link.spare is Spare.READY:
        do.change_link(line=Line.OPENING)
        do.ask(Switch())
    elif link.spare is Spare.DIALLING:
        do.change_link(line=Line.DIALLING)
    elif cause == "expired":
        do.ask(Dial())
    else:
        _try_again(do, sentence, chance)
        return
    do.ask(Show(Notice(f"{sentence} Connecting again{_meanwhile(do.state)}.")))


def _meanwhile(state: Conversation) -> str:
    if not state.link.sessions:
        return ""  # nobody was asked to speak yet
    if state.microphone and not (state.muted or state.paused):
        return "; what you say meanwhile is kept"
    return "; what you type meanwhile is kept" if state.keyboard else ""


def _try_again(do: Draft, sentence: str, chance: int) -> None:
    link = do.state.link
    attempt = link.attempt + 1
    wait_ms = delay_ms(attempt, chance)
    redial_us = do.now_us + wait_ms * 1000
    assert link.lost_us is not None
    if redial_us - link.lost_us > LONGEST_GAP_US:
        gone_s = (do.now_us - link.lost_us) // 1_000_000
        text = f"The connection has been lost for {gone_s} s and is given up. {link.failure or sentence}"
        do.ask(Quit(Outcome.LINK_LOST, text))
        return
    do.change_link(attempt=attempt, redial_us=redial_us)
    do.ask(SetAlarm(REDIAL_ALARM, redial_us))
    if attempt == 1:
        again = f"Connecting again{_meanwhile(do.state)}"
    else:
        seconds = f"{wait_ms / 1000:.1f}" if wait_ms < 1000 else str(round(wait_ms / 1000))
        again = f"Trying again in {seconds} s"
    do.ask(Show(Notice(f"{sentence} {again}.", "warning")))


def _leave_session(do: Draft, unsure_us: int) -> None:
    """Nothing of the session is valid any more. What it may not have heard since `unsure_us` is kept."""
    state = do.state
    again = state.server_turns and state.said_us is not None
    asked = any(not request.denied for request in state.requests)
    say = "".join(request.say for request in state.requests if not request.denied)
    halved = state.active is not None and state.active == state.holder and not _whole(state, state.active)
    if halved and state.active is not None:
        say = say or state.answers[state.active].say
    if state.said_us is not None:
        unsure_us = min(unsure_us, state.said_us - MARGIN_US)
    floor.lose(do)
    remote.lost(do)
    for item_id in do.state.utterances:
        turns.end_line_when_over(do, item_id)
    do.change(
        ready=False,
        updates=(),
        postponed=(*state.postponed, *(u for u in state.updates if u.purpose in changes.CHANGES)),
        requests=(),
        unread=None,
        heard_ms=0,
        calls={key: attrs.evolve(call, lost=True) for key, call in do.state.calls.items()},
    )
    turns.lose_user_lines(do, said_again=again)
    barge_in.lost(do)
    for alarm in (asking.ANSWER_ALARM, session.BEGIN_ALARM, session.SETTLE_ALARM, HANDOVER_ALARM):
        do.ask(ClearAlarm(alarm))
    do.change_link(expires_us=None)
    do.ask(Keep(max(0, unsure_us, do.now_us - LONGEST_KEPT_US), state.said_ms, state.heard_ms))
    # What is said again is answered, unless it may be a cough.
    answered = again and all(turn.verdict is Verdict.SPOKEN for turn in state.own_turns.values())
    if answered and state.terms.asks_itself:
        do.change(wanted=False)
    elif (asked or halved) and not answered:
        _ask_again(do, halved, say)


def _whole(state: Conversation, response_id: str) -> bool:
    """All of the answer has come, but for the word that it is over."""
    parts = [u for u in state.utterances.values() if u.response_id == response_id]
    return bool(parts) and not any(map(floor.is_short, parts))


def _ask_again(do: Draft, halved: bool, say: str) -> None:
    if do.state.asked_again:
        text = "The answer was lost a second time and is not asked for again."
        do.ask(Show(Notice(text, "warning")))
        return
    if say:
        do.change(say=do.state.say or say, asked_again=True)
        return
    do.change(wanted=True, asked_again=True)
    if halved:
        turns.tell(do, BROKEN_OFF)
