"""Early barge-in: the voice is lowered at once when the user seems to speak, and stops when it is sure.

The server needs some hundred milliseconds to say that the user speaks, and this long the voice would go on.
So a detector at the microphone lowers it, which costs little where it was mistaken:

    {diagram}

`taken`: the user has the floor, by the server's word, by his own words, or by a key. `ended`: the voice that
was lowered has ended, and the next begins as loud as ever. `alarm`: nobody has said that it was the user; the
voice has lost nothing meanwhile. The same alarm ends the rest after it.

Where words alone interrupt (see `barge_in`), the server's word is `speech`: the voice stays low until it has
been written down what was said. `noise`: those were no words.
"""

from __future__ import annotations

from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import ClearAlarm, Duck, SetAlarm, Unduck
from rtassist.dialogue.state import Ducking, Verdict

DUCK_ALARM = "duck"
RELEASE_US = 450_000
"""From an onset to the voice's return, if the server has heard nothing: with the ramp and what the device
holds, half a second. A voice that is low for longer seems broken."""
DOUBT_US = 2_000_000
"""From the end of speech to the voice's return, if its words are not known by then; they still count later.
A transcript takes mostly less than a second."""
REST_US = 1_000_000
LONGEST_REST_US = 16 * REST_US
"""A rest is twice as long after each onset that was nothing: next to a television or a keyboard the voice
must not pump. Meanwhile the server interrupts as ever; only the head start is lost."""

TRANSITIONS: dict[Ducking, dict[str, Ducking]] = {
    Ducking.LOUD: {"onset": Ducking.DUCKED, "speech": Ducking.DOUBTED},
    Ducking.DUCKED: {
        "taken": Ducking.CONFIRMED,
        "ended": Ducking.LOUD,
        "alarm": Ducking.RELEASED,
        "speech": Ducking.DOUBTED,
    },
    Ducking.DOUBTED: {
        "taken": Ducking.CONFIRMED,
        "ended": Ducking.LOUD,
        "alarm": Ducking.RELEASED,
        "noise": Ducking.RELEASED,
        "speech": Ducking.DOUBTED,
    },
    Ducking.CONFIRMED: {"ended": Ducking.LOUD},
    Ducking.RELEASED: {"taken": Ducking.LOUD, "alarm": Ducking.LOUD, "speech": Ducking.DOUBTED},
}
"""Every change. What is not listed changes nothing."""


def diagram() -> str:
    """The table above as lines of text."""
    rows = [
        f"{start.value:<10} ── {cause:<6} → {end.value}"
        for start, arrows in TRANSITIONS.items()
        for cause, end in arrows.items()
    ]
    return "\n    ".join(rows)


__doc__ = (__doc__ or "").replace("{diagram}", diagram())


def onset(do: Draft) -> None:
    """The user seems to speak into a microphone that is on, maybe over a voice that he may interrupt."""
    state = do.state
    may_interrupt = state.terms.interrupts or state.terms.barge_in == "confirm"
    if state.terms.ducks and state.server_turns and may_interrupt and state.sounding:
        _change(do, "onset")


def doubt(do: Draft) -> None:
    """The server hears the user over a voice, which may be no words; or the voice began meanwhile."""
    state = do.state
    turn = state.own_turns.get(state.user_item or "")
    if state.terms.ducks and state.sounding and turn is not None and turn.verdict is Verdict.DOUBTED:
        _change(do, "speech")


def speech_over(do: Draft) -> None:
    """The server has heard the end of it; the words are still to come."""
    if do.state.ducking is Ducking.DOUBTED:
        do.ask(SetAlarm(DUCK_ALARM, do.now_us + DOUBT_US))


def nothing(do: Draft) -> None:
    """It was no words, nor is it words that are being said now."""
    turn = do.state.own_turns.get(do.state.user_item or "")
    if turn is None or turn.verdict is not Verdict.DOUBTED:
        _change(do, "noise")


def taken(do: Draft) -> None:
    _change(do, "taken")
    if do.state.false_onsets:
        do.change(false_onsets=0)


def ended(do: Draft) -> None:
    """Voices sound one after the other, so the one that has ended is the one that was lowered."""
    _change(do, "ended")


def alarm_rang(do: Draft) -> None:
    _change(do, "alarm")


def _change(do: Draft, cause: str) -> None:
    before, was_lowered = do.state.ducking, do.state.lowered
    ducking = TRANSITIONS[before].get(cause)
    if ducking is None:
        return
    do.change(ducking=ducking)
    if do.state.lowered is not was_lowered:
        do.ask(Unduck() if was_lowered else Duck())
    if ducking is Ducking.DUCKED:
        do.ask(SetAlarm(DUCK_ALARM, do.now_us + RELEASE_US))
    elif ducking is Ducking.RELEASED:
        do.ask(SetAlarm(DUCK_ALARM, do.now_us + min(REST_US << do.state.false_onsets, LONGEST_REST_US)))
        do.change(false_onsets=do.state.false_onsets + 1)
    elif cause != "alarm" and before not in (Ducking.CONFIRMED, Ducking.LOUD):
        do.ask(ClearAlarm(DUCK_ALARM))
