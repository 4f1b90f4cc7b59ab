"""A walk through every state that the dialogue can reach in a small world, breadth first."""

from __future__ import annotations

from attrs import frozen

from rtassist.dialogue import events, step
from rtassist.dialogue.state import Conversation, Sound
from rtassist.dialogue.terms import Terms
from rtassist.protocol import Session
from tests.dialogue.judge import BrokenRuleError, judge
from tests.dialogue.world import UNIX_S, Budget, Move, World, event_of, moves, world
from tests.playbook import after, heard, listening, session_created, session_updated


@frozen
class Scope:
    """What is small about the world: these bounds, and nothing else. `chunks` of audio for each item."""

    name: str
    responses: int
    items: int
    chunks: int
    budget: Budget
    push_to_talk: bool = False
    mode: str = "instant"

    def begin(self) -> tuple[Conversation, World]:
        state = listening(
            push_to_talk=self.push_to_talk,
            server_turns=not self.push_to_talk,
            interrupts=not self.push_to_talk and self.mode == "instant",
            barge_in=self.mode,
            ducks=self.mode != "off",
            reconnects=True,
        )
        if self.budget.ends:
            state = ending()
        if self.budget.mutes:
            state = after(state, heard(ms=100))
        w = world(
            self.responses,
            self.items,
            self.chunks,
            self.budget,
            self.mode,
            server_turns=not self.push_to_talk,
        )
        return state, w


@frozen
class Walk:
    """`states` are distinct, `steps` are decisions taken and judged. `path` leads to what is `broken`."""

    scope: Scope
    states: int
    steps: int
    broken: BrokenRuleError | None = None
    path: tuple[Move, ...] = ()

    def __str__(self) -> str:
        scope = self.scope
        bounds = ", ".join(f"{name} {n}" for name, n in scope.budget._asdict().items() if n)
        lines = [
            f"{scope.name}: {self.states} states, {self.steps} steps "
            f"({scope.responses} responses of {scope.items} items of {scope.chunks} chunks; {bounds})"
        ]
        if self.broken is not None:
            lines += [f"  {move}" for move in self.path]
            lines.append(f"  broke {self.broken}")
        return "\n".join(lines)


def explore(scope: Scope) -> Walk:
    """Take every step from every state, until there is no new state or a property does not hold."""
    state, w = scope.begin()
    first = key(state, w)
    came_from: dict[object, tuple[object, Move] | None] = {first: None}
    frontier = [(first, state, w)]
    steps = 0
    while frontier:
        further = []
        for here, state, w in frontier:
            for move in moves(w):
                steps += 1
                try:
                    reached, effects = step.step(state, 0, event_of(w, move))
                    then = judge(w, move, effects, reached)
                except BrokenRuleError as broken:
                    return Walk(scope, len(came_from), steps, broken, (*_path(came_from, here), move))
                there = key(reached, then)
                if there not in came_from:
                    came_from[there] = (here, move)
                    further.append((there, reached, then))
        frontier = further
    return Walk(scope, len(came_from), steps)


def _path(came_from: dict[object, tuple[object, Move] | None], here: object) -> tuple[Move, ...]:
    path = []
    while (arrival := came_from[here]) is not None:
        here, move = arrival
        path.append(move)
    return tuple(reversed(path))


def key(state: Conversation, w: World) -> object:
    """All that can matter later: not the counted ids, the words, or how long a voice was that is over."""
    return (
        w[:-1],
        state.holder,
        state.active,
        state.wanted,
        state.user_item,
        state.talk_held,
        state.uncommitted,
        state.ducking._value_,
        tuple((id, turn.verdict._value_, turn.committed) for id, turn in state.own_turns.items()),
        tuple((key, call.speak, call.lost) for key, call in state.calls.items()),
        (state.muted, state.unread and "fenced", len(state.updates)),
        (state.link.line._value_, state.link.spare._value_, state.said_us is None, state.asked_again),
        tuple((request.event_id is None, request.denied) for request in state.requests),
        tuple(
            (answer.id, answer.done, answer.cancel._value_, answer.quiet) for answer in state.answers.values()
        ),
        tuple(
            (u.item_id, u.sound._value_, u.fate._value_, u.audio_done, u.line_ended, u.lost)
            if u.sound is Sound.ENDED
            else (u.item_id, u.sound._value_, u.audio_done, u.arrived, u.handed, u.written, u.lost, u.short)
            for u in state.utterances.values()
        ),
    )


def ending() -> Conversation:
    """A conversation whose session has told when it ends."""
    state = step.begin(Terms(session=Session(type="realtime"), reconnects=True))
    opened = events.LinkOpened(UNIX_S)
    return after(state, opened, session_created(expires_at=UNIX_S + 3600), session_updated())


SMALL = (
    Scope("two turns", 2, 1, 1, Budget(turns=2)),
    Scope("a line", 2, 1, 1, Budget(lines=1, stops=1, unasked=1)),
    Scope("long", 1, 1, 2, Budget(stops=1, unasked=1)),
    Scope("late", 1, 2, 1, Budget(stops=1, late=1, unasked=1)),
    Scope("held", 1, 1, 1, Budget(presses=2, timers=1, unasked=1), push_to_talk=True),
    Scope("refused", 2, 1, 1, Budget(turns=1, timers=2, refusals=1, waits=1)),
    Scope("lost", 1, 2, 1, Budget(turns=1, losses=1, muteness=1, unasked=1)),
    Scope("two items", 1, 2, 1, Budget(turns=1, stops=1, unasked=1)),
    Scope("lost and back", 1, 2, 1, Budget(stops=1, muteness=1, returns=1, unasked=1)),
    Scope("lowered", 1, 1, 1, Budget(turns=1, onsets=2, words=1, rests=2, unasked=1)),
    Scope("calls", 2, 1, 1, Budget(calls=1, stops=1, unasked=1)),
    Scope("lowered and stopped", 2, 1, 1, Budget(stops=1, onsets=1, rests=1, unasked=2)),
    Scope("in doubt", 2, 1, 1, Budget(turns=2, rests=1), mode="confirm"),
    Scope("in doubt, and lowered", 1, 1, 1, Budget(turns=1, onsets=1, rests=2, unasked=1), mode="confirm"),
    Scope("in doubt twice", 1, 1, 1, Budget(turns=2, unasked=1), mode="confirm"),
    Scope("in doubt and stopped", 2, 1, 1, Budget(turns=1, stops=1, unasked=2), mode="confirm"),
    Scope("not interrupted", 2, 1, 1, Budget(turns=2, stops=1), mode="off"),
)
"""Small enough to be walked for every mutant."""

CUT_OFF = (
    Scope("cut off", 2, 1, 1, Budget(lines=1, stops=1, drops=1, failures=1)),
    Scope("cut off in a turn", 2, 1, 1, Budget(turns=1, drops=1)),
    Scope("cut off twice", 2, 1, 2, Budget(timers=1, drops=2)),
    Scope("cut off with the key held", 1, 1, 1, Budget(presses=1, drops=1), push_to_talk=True),
    Scope("cut off while it calls", 2, 1, 1, Budget(calls=1, timers=1, drops=1)),
    Scope("handed over", 2, 1, 1, Budget(lines=1, stops=1, drops=1, ends=1, failures=1)),
    Scope("in doubt and cut off", 2, 1, 1, Budget(turns=1, drops=1, unasked=1), mode="confirm"),
    Scope("not interrupted, and cut off", 2, 1, 1, Budget(turns=1, drops=1, unasked=1), mode="off"),
)
"""Likewise, for the rules of a lost connection."""

UNTOLD = (
    Scope("behind a slow network", 2, 1, 1, Budget(turns=1, lines=1, lags=2, waits=1)),
    Scope("taken back", 2, 1, 1, Budget(turns=1, lines=1, mutes=1)),
)
"""Likewise, for what is said and may be answered before we are told of it."""

FAILING = (
    Scope("the server fails twice", 3, 1, 1, Budget(lines=1, breakdowns=2)),
    Scope("the server fails, and is spoken over", 2, 1, 1, Budget(turns=1, stops=1, breakdowns=1)),
    Scope("the server fails and is cut off", 2, 1, 1, Budget(lines=1, drops=1, breakdowns=1)),
)
"""Likewise, for responses at which the server itself fails."""

WHOLE = (
    Scope("spoken over", 2, 2, 1, Budget(turns=1, unasked=2)),
    Scope("stopped and spoken over", 2, 2, 1, Budget(turns=1, stops=1, unasked=1)),
    Scope("typed over", 2, 2, 1, Budget(lines=1, unasked=1)),
    Scope("stopped and typed over", 2, 2, 1, Budget(lines=1, stops=1, unasked=1)),
    Scope("late and twice", 2, 2, 1, Budget(turns=1, late=1, unasked=1)),
    Scope("refused and overdue", 2, 1, 1, Budget(turns=1, lines=1, timers=1, refusals=1, waits=1)),
    Scope("long and lost", 1, 2, 2, Budget(turns=1, losses=1, unasked=1)),
    Scope("lost twice and back", 2, 1, 2, Budget(turns=1, muteness=2, returns=2, unasked=1)),
    Scope("lowered and spoken over", 1, 2, 1, Budget(turns=1, onsets=2, words=1, rests=2, unasked=1)),
    Scope("lowered and lost", 1, 2, 1, Budget(muteness=1, returns=1, losses=1, onsets=2, rests=2, unasked=1)),
    Scope("in doubt twice, and stopped", 2, 1, 1, Budget(turns=2, stops=1), mode="confirm"),
    Scope("in doubt, two items", 1, 2, 1, Budget(turns=1, unasked=1, rests=1, onsets=1), mode="confirm"),
    Scope("in doubt and typed over", 2, 1, 1, Budget(turns=2, lines=1), mode="confirm"),
    Scope("in doubt and lost", 1, 1, 1, Budget(turns=1, losses=1, muteness=1, unasked=1), mode="confirm"),
    Scope("never interrupted", 2, 1, 2, Budget(turns=2, unasked=1), mode="off"),
    Scope("calls anywhere", 2, 1, 1, Budget(calls=1, turns=1, stops=1, unasked=1)),
    Scope("cut off anywhere", 2, 1, 1, Budget(turns=1, drops=1, unasked=1)),
    Scope("cut off and stopped", 1, 2, 1, Budget(stops=1, drops=1, unasked=1)),
    Scope("cut off and mute", 1, 1, 2, Budget(muteness=1, returns=1, drops=1, losses=1, unasked=1)),
    Scope("cut off, and kept", 2, 1, 1, Budget(turns=1, lines=1, drops=1)),
    Scope("taken back and stopped", 2, 1, 1, Budget(turns=1, stops=1, timers=1, mutes=1)),
    Scope("handed over in a turn", 2, 1, 1, Budget(turns=1, drops=1, ends=1)),
    Scope("push to talk", 2, 1, 2, Budget(presses=2, stops=1, refusals=1), push_to_talk=True),
)


def main() -> None:
    """Walk and tell; a broken rule is told with the way that leads to it."""
    for scope in (*SMALL, *CUT_OFF, *UNTOLD, *FAILING, *WHOLE):
        print(explore(scope))


if __name__ == "__main__":
    main()
