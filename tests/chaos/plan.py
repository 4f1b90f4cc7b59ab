"""What will happen in one run, drawn from its seed before it begins: what the user and the network do."""

from __future__ import annotations

import random
from typing import Final

from attrs import frozen

LARGEST_EVENT: Final = 15 * 1024 * 1024
RECOVERABLE_CODES: Final = (1001, 1011, 1012, 1013)
FINAL_CODES: Final = (1000, 1003, 1008, 3000, 4000, 4999)
"""Close codes after which nobody is wanted back; 1002, 1007 and 1009 come of the damage below."""
CLEAN_AFTER: Final = 6
"""Connections, so that every run comes to an end."""


@frozen
class Fault:
    """`kind` is one of the names in TIMED, at so many seconds after the connection was asked for."""

    kind: str
    at_s: float
    lasts_s: float = 0.0
    number: int = 0


@frozen(kw_only=True)
class Trouble:
    """One connection. `cut_down`, `cut_up`: it is reset behind so many bytes of that direction."""

    refusal: str = ""
    """The connection does not come about: one of REFUSALS."""
    latency_s: float = 0.0
    jitter_s: float = 0.0
    pieces: int = 0
    """What is delivered comes in pieces of at most so many bytes; 0: as it was sent."""
    cut_down: int | None = None
    cut_up: int | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def final(self) -> bool:
        """The conversation may end with it."""
        return any(fault.kind in FINAL for fault in self.faults)


@frozen
class Act:
    """What the user does, so long after the act before it: `type` a text, or `speak` sentence `number`."""

    after_s: float
    kind: str
    text: str = ""
    number: int = 0


@frozen(kw_only=True)
class Plan:
    seed: int
    acts: tuple[Act, ...]
    troubles: tuple[Trouble, ...]
    microphone: bool
    lasts_s: int
    """A session."""
    faster: float
    """How fast the server sends its voice, compared with how long it sounds."""
    tool_s: float
    """How long a function takes."""
    thinks_s: float

    def trouble(self, number: int) -> Trouble:
        return self.troubles[number] if number < len(self.troubles) else Trouble()


REFUSALS: Final = ("unreachable", "page", "silent", "eof", "busy", "no session", "half an upgrade")
TIMED: Final = {
    "reset": 4.0,
    "half-close down": 1.5,
    "half-close up": 1.5,
    "vanish": 1.0,
    "stall down": 2.0,
    "stall up": 2.0,
    "stall": 1.5,
    "slow down": 1.5,
    "slow up": 1.5,
    "close recoverable": 3.0,
    "close final": 0.5,
    "close without code": 0.3,
    "garbage text": 1.5,
    "wrong json": 2.0,
    "not a string": 0.5,
    "binary": 0.5,
    "unknown event": 1.0,
    "large event": 0.15,
    "too large": 0.3,
    "not utf-8": 0.3,
    "reserved bits": 0.3,
    "noise": 0.3,
    "pings": 1.0,
    "pongs": 0.5,
    "fragments": 1.5,
    "twice": 1.5,
    "late transcript": 1.5,
    "error": 1.0,
    "error final": 0.2,
}
"""How often each is drawn, compared with the others."""
FINAL: Final = {"close final", "error final", "too large", "not utf-8", "reserved bits", "noise"}
"""Behind these the conversation ends, or ends as a rule: a broken protocol, or a server that means it."""


def plan_for(seed: int) -> Plan:
    draw = random.Random(seed)
    microphone = draw.random() < 0.6
    return Plan(
        seed=seed,
        acts=tuple(_acts(draw, microphone)),
        troubles=tuple(_trouble(draw) for _ in range(draw.randint(1, CLEAN_AFTER))),
        microphone=microphone,
        lasts_s=draw.choice((3600, 3600, 60, 30, 20)),
        faster=draw.choice((1.2, 4.0, 8.0)),
        tool_s=draw.choice((0.0, 0.3, 3.0, 8.0)),
        thinks_s=draw.choice((0.0, 0.2, 1.5)),
    )


def _acts(draw: random.Random, microphone: bool) -> list[Act]:
    """Few, so that a run is quick, and each of any kind; what is muted is unmuted at the end."""
    acts = []
    kinds = {"type": 4.0, "call": 2.0, "stop": 1.5, "rest": 1.0}
    if microphone:
        kinds |= {"speak": 6.0, "mute": 0.5, "pause": 0.5}
    for number in range(draw.randint(3, 7)):
        after_s = draw.choice((0.0, 0.05, 0.4, 1.0, 2.5))
        kind = draw.choices([*kinds], [*kinds.values()])[0]
        if kind in ("mute", "pause"):
            again = "/mute" if kind == "mute" else "/resume"
            acts += [Act(after_s, "type", f"/{kind}"), Act(draw.uniform(0.1, 2), "type", again)]
        elif kind == "stop":
            acts.append(Act(after_s, "type", ""))
        elif kind == "rest":
            acts.append(Act(draw.uniform(1, 8), "rest"))
        elif kind == "speak":
            acts.append(Act(after_s, "speak", number=number + 1))
        else:
            text = f"Please call number {number + 1}." if kind == "call" else f"This is line {number + 1}."
            acts.append(Act(after_s, "type", text, number + 1))
    return acts


def _trouble(draw: random.Random) -> Trouble:
    if draw.random() < 0.25:
        return Trouble(refusal=draw.choice(REFUSALS))
    slow = draw.random() < 0.3
    return Trouble(
        latency_s=draw.choice((0.05, 0.3)) if slow else 0.0,
        jitter_s=draw.choice((0.0, 0.2)) if slow else 0.0,
        pieces=draw.choice((0, 0, 0, 7, 1000)),
        cut_down=_cut(draw),
        cut_up=_cut(draw),
        faults=tuple(sorted((_fault(draw) for _ in range(draw.randint(0, 3))), key=lambda fault: fault.at_s)),
    )


def _cut(draw: random.Random) -> int | None:
    """Mostly nowhere; at an early byte as often as at a late one."""
    return draw.randint(1, 2 ** draw.randint(4, 18)) if draw.random() < 0.15 else None


def _fault(draw: random.Random) -> Fault:
    kind = draw.choices([*TIMED], [*TIMED.values()])[0]
    at_s = draw.choice((draw.uniform(0, 1), draw.uniform(0, 8), draw.uniform(0, 25)))
    return Fault(kind, at_s, draw.choice((0.5, 3.0, 9.0, 25.0, 40.0)), draw.randint(0, 999))
