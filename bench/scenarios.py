"""What the scripted server does in one connection, as values: one definition for the suite and for tests."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

RATE: Final = 24_000
MS: Final = RATE // 1000
"""Samples in a millisecond."""
DELTA_MS: Final = 100
"""As OpenAI's server sends, more or less."""
PERIOD: Final = 7_500
LOWEST: Final = 2_000
"""A sample says what it is: LOWEST + voice × PERIOD + its number modulo PERIOD. None is zero, also not faded
in or out, and a loss or a repetition of up to 150 ms cannot be mistaken. Four voices fit."""
LATE: Final = 3
"""The voice of what the server sends of a response after it was interrupted."""


@frozen(kw_only=True)
class Created:
    """A response begins."""

    response: int = 0


@frozen(kw_only=True)
class Audio:
    """So much sound of an item, in deltas of 100 ms; its beginning is told first, where it is not yet.

    `every_ms`: from one delta to the next, 0 for all at once. `burst`: so many at once, as rarely.
    `late`: sent after the interruption, and another voice. `stamped`: each delta begins with the time at
    which it was sent, and is no voice. `words`: a piece of transcript behind each second delta.
    """

    item: int = 0
    ms: int
    every_ms: float = 0.0
    burst: int = 1
    late: bool = False
    stamped: bool = False
    words: bool = False


@frozen(kw_only=True)
class ItemDone:
    item: int = 0


@frozen(kw_only=True)
class Done:
    """The response is over."""

    status: str = "completed"


@frozen(kw_only=True)
class Pause:
    ms: float
    varied_ms: int = 0
    """By up to so much longer, another time in each trial: at every place within a chunk."""


@frozen(kw_only=True)
class SpeechStarted:
    """The interruption."""


@frozen(kw_only=True)
class Dropped:
    """The connection breaks, without a word. What follows is for the one that comes instead of it; where
    none comes for so long, the scenario is over.
    """

    return_ms: int = 5_000


Step = Created | Audio | ItemDone | Done | Pause | SpeechStarted | Dropped


@frozen(kw_only=True)
class Shape:
    """A loudspeaker: how much it holds, how much it takes at once, and how far its clock is off."""

    buffer_ms: int = 60
    period_ms: int = 10
    drift_ppm: int = 0


@frozen(kw_only=True)
class Scenario:
    name: str
    """Without a space: a client may put it into a URL as it is."""
    steps: tuple[Step, ...]
    shape: Shape = Shape()
    appends: bool = False
    """The client hears 20 ms of microphone 50 times a second meanwhile."""
    speaks_ms: int | None = None
    """For so long the user speaks, and then he listens; None: as long as it lasts."""


SETTLING: Final = Pause(ms=400)
"""Behind an interruption: longer than any client's device holds, so that what still comes is heard."""


def interrupted(*before: Step, heard_ms: float, late: bool = False, done: bool = False) -> tuple[Step, ...]:
    """Sound, then the user speaks so long after it. `done`: all was sent, and the response was over."""
    ending: tuple[Step, ...] = () if done else (Done(status="cancelled"),)
    if late:
        ending = (Audio(ms=500, every_ms=50, late=True), *ending)
    return (Created(), *before, Pause(ms=heard_ms, varied_ms=20), SpeechStarted(), *ending, SETTLING)


PLAIN: Final = interrupted(Audio(ms=10_000), heard_ms=600)
OVERHEAD: Final = (
    Created(),
    Audio(ms=6_000, every_ms=DELTA_MS / 3, stamped=True, words=True),
    ItemDone(),
    Done(),
    Pause(ms=100),
)
LOADED: Final = (
    Created(),
    Audio(ms=6_000, every_ms=DELTA_MS / 3, burst=4, stamped=True, words=True),
    ItemDone(),
    Done(),
    Pause(ms=100),
)
CONVERSATION: Final = (
    Created(),
    Pause(ms=5_000),
    Audio(ms=9_000, every_ms=DELTA_MS / 3, stamped=True, words=True),
    ItemDone(),
    Done(),
    Pause(ms=4_000),
)
EXCHANGE: Final = (
    Created(),
    Pause(ms=1_000),
    Audio(ms=3_400, every_ms=DELTA_MS / 3, stamped=True, words=True),
    ItemDone(),
    Done(),
    Pause(ms=2_400),
)
"""As much a second as in CONVERSATION: of speech, and of pieces of a microphone whose chunks go on together
two seconds after a word."""
DROPPED: Final = (
    Created(),
    Audio(ms=300, every_ms=DELTA_MS / 3, stamped=True),
    ItemDone(),
    Done(),
    Pause(ms=400),
    Dropped(),
    Pause(ms=1_000),
)
SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario(name="idle", steps=OVERHEAD),
        Scenario(name="loaded", steps=LOADED, appends=True),
        Scenario(name="plain", steps=PLAIN),
        Scenario(
            name="stall",
            steps=interrupted(Audio(ms=400), Pause(ms=900), Audio(ms=5_000), heard_ms=300),
        ),
        Scenario(name="late", steps=interrupted(Audio(ms=2_000), heard_ms=500, late=True)),
        Scenario(
            name="underrun",
            steps=interrupted(Audio(ms=800, every_ms=130), Audio(ms=2_000), heard_ms=250),
        ),
        Scenario(
            name="several-items",
            steps=interrupted(Audio(ms=400), ItemDone(), Audio(ms=2_000, item=1), heard_ms=700),
        ),
        Scenario(name="at-0-ms", steps=interrupted(Audio(ms=100), heard_ms=0)),
        Scenario(
            name="after-response.done",
            steps=interrupted(Audio(ms=2_000), ItemDone(), Done(), heard_ms=500, done=True),
        ),
        Scenario(
            name="slow-device",
            steps=PLAIN,
            shape=Shape(buffer_ms=180, period_ms=60, drift_ppm=-5_000),
        ),
        Scenario(name="large-buffer", steps=PLAIN, shape=Shape(buffer_ms=500)),
        Scenario(name="conversation", steps=CONVERSATION, appends=True, speaks_ms=5_000),
        Scenario(name="exchange", steps=EXCHANGE, appends=True, speaks_ms=600),
        Scenario(name="dropped", steps=DROPPED, appends=True),
    )
}
INTERRUPTIONS: Final = ("plain", "stall", "late")
TRUNCATIONS: Final = tuple(
    scenario.name for scenario in SCENARIOS.values() if SpeechStarted() in scenario.steps
)


def voice(of: int, start: int, count: int) -> NDArray[np.int16]:
    """Samples `start` to `start + count` of a voice."""
    ramp = LOWEST + of * PERIOD + np.arange(start, start + count) % PERIOD
    return ramp.astype(np.int16)


def lasts_s(scenario: Scenario) -> float:
    """How long its steps take at most, in seconds."""
    ms = 0.0
    for step in scenario.steps:
        if isinstance(step, Pause):
            ms += step.ms + step.varied_ms
        elif isinstance(step, Dropped):
            ms += step.return_ms
        elif isinstance(step, Audio):
            ms += step.ms // DELTA_MS * step.every_ms
    return ms / 1000


def for_client(scenario: Scenario) -> dict[str, Any]:
    """What a client's process is told of it."""
    return {
        "name": scenario.name,
        "appends": scenario.appends,
        "speaks_ms": scenario.speaks_ms,
        "lasts_s": lasts_s(scenario),
        "device": attrs.asdict(scenario.shape),
    }
