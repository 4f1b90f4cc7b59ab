"""How a conversation stands at one moment, as a person is told: what it does, how loud, how long."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import attrs
from attrs import frozen

from rtassist.dialogue.state import Cancel, Conversation


class Doing(Enum):
    """The one thing that is most worth to know, in words for a person."""

    CONNECTING = "connecting"
    RECONNECTING = "reconnecting"
    LISTENING = "listening"
    HEARING = "hearing you"
    THINKING = "thinking"
    SPEAKING = "speaking"
    WRITING = "writing"
    """As SPEAKING, where answers are read."""
    MUTED = "muted"
    PAUSED = "paused"
    READY = "ready"
    """Nobody listens by himself: something is to be typed, or the talk key pressed."""


@frozen(kw_only=True)
class Standing:
    """One moment of a conversation. None: there is no such thing, or it is not known."""

    doing: Doing
    microphone_on: bool = False
    """What is said now is heard."""
    mic_dbfs: float | None = None
    """The peak of the last tenth of a second; None: there is no microphone."""
    voice_dbfs: float | None = None
    """Likewise of what was handed to the loudspeaker; None: answers are read."""
    elapsed_s: int = 0
    latency_ms: int | None = None
    """Of the last turn, from its end to the first of the answer (see `follow`)."""
    tokens: int | None = None
    cost_usd: Decimal | None = None
    context: float | None = None
    """How full the model's context is, from 0 to 1."""


@frozen(kw_only=True)
class Course:
    """What it takes to know the latency of a turn."""

    doing: Doing = Doing.CONNECTING
    asked_us: int = 0
    latency_ms: int | None = None


def doing(state: Conversation) -> Doing:
    if not state.ready:
        return Doing.RECONNECTING if state.between else Doing.CONNECTING
    if state.user_speaks or state.talk_held:
        return Doing.HEARING
    if state.sounding:
        return Doing.SPEAKING
    if any(u.shown and not u.line_ended and not u.handed for u in state.utterances.values()):
        return Doing.WRITING
    if _answer_comes(state):
        return Doing.THINKING
    if state.paused:
        return Doing.PAUSED
    if state.muted:
        return Doing.MUTED
    return Doing.LISTENING if microphone_on(state) else Doing.READY


def _answer_comes(state: Conversation) -> bool:
    active = state.answers.get(state.active or "")
    return bool(
        state.wanted
        or state.calls
        or (active is not None and active.cancel is Cancel.NO and not active.quiet)
        or any(not request.denied for request in state.requests)
    )


def microphone_on(state: Conversation) -> bool:
    """What is said now is heard, or kept for the next session."""
    if not (state.ready or state.between) or not state.microphone or state.paused or state.muted:
        return False
    return state.server_turns or state.talk_held


def follow(course: Course, state: Conversation, now_us: int) -> Course:
    """The course after a change of the state.

    The latency of a turn is the time from the moment at which an answer is due (for a spoken turn, the server
    has said that it is over) to the moment at which the answer's first sound or word is there.
    """
    now = doing(state)
    if now is course.doing:
        return course
    if now is Doing.THINKING:
        return attrs.evolve(course, doing=now, asked_us=now_us)
    if now in (Doing.SPEAKING, Doing.WRITING) and course.doing is Doing.THINKING:
        return attrs.evolve(course, doing=now, latency_ms=(now_us - course.asked_us) // 1000)
    return attrs.evolve(course, doing=now)
