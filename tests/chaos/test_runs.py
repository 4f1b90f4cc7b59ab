"""A hundred conversations over a bad network; more of them: python -m tests.chaos --runs 1000."""

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing

from rtassist.dialogue.effects import Outcome
from tests.chaos.plan import FINAL, TIMED, Act, Fault, Plan, Trouble, plan_for
from tests.chaos.run import Broken, World, run

CALM = Plan(
    seed=0,
    acts=(
        Act(0.5, "type", "This is line 1.", 1),
        Act(3.0, "type", "Please call number 2.", 2),
        Act(2.0, "speak", number=3),
    ),
    troubles=(),
    microphone=True,
    lasts_s=3600,
    faster=8.0,
    tool_s=0.3,
    thinks_s=0.2,
)


FOUND = (133, 172, 618)
"""Seeds that showed what was wrong once."""


TYPED = attrs.evolve(
    CALM,
    acts=(Act(0.5, "type", "This is line 1.", 1), Act(3.0, "type", "Please call number 2.", 2)),
    microphone=False,
)


@pytest.mark.parametrize("seed", [*range(100), *FOUND], ids=lambda seed: f"seed {seed}")
def test_a_conversation_survives_a_bad_network(seed: int) -> None:
    run(plan_for(seed))


def test_without_trouble_nothing_is_said_of_the_connection() -> None:
    found = run(CALM)

    assert found.connections == 1
    assert [text for text in found.notices if "look_up" not in text] == []
    assert found.lost == []
    assert found.crossed == 0


@pytest.mark.parametrize("kind", TIMED)
def test_each_fault_by_itself(kind: str) -> None:
    """In the middle of an answer that sounds, for as long as some wait and some do not."""
    plan = attrs.evolve(TYPED, troubles=(Trouble(faults=(Fault(kind, 1.2, 12.0, 7),)),))
    found = run(plan)

    assert kind in found.played
    assert found.quit is not None
    assert (found.quit.outcome is Outcome.OVER) is (kind not in FINAL)


@pytest.mark.parametrize("behind", [1, 150, 900, 1_500])
@pytest.mark.parametrize("way", ["cut_up", "cut_down"])
def test_cut_at_any_byte(way: str, behind: int) -> None:
    plan = attrs.evolve(TYPED, troubles=(attrs.evolve(Trouble(), **{way: behind}),))
    found = run(plan)

    assert "cut" in found.played
    assert found.lost == []


def test_a_seed_is_the_same_run_again() -> None:
    assert plan_for(17) == plan_for(17)
    first, again = run(plan_for(17)), run(plan_for(17))

    assert (first.virtual_s, first.lines, first.played, first.checks) == (
        again.virtual_s,
        again.lines,
        again.played,
        again.checks,
    )


def test_who_hangs_is_told_with_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever(world: World, link: object) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(World, "_converse", forever)

    with pytest.raises(Broken, match=r"seed 0: TooSlowError"):
        run(CALM)


def test_a_lost_sentence_is_told_with_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is blind to nothing: a client that is not told what was said before forgets it."""
    monkeypatch.setattr("rtassist.dialogue.session.limits.newest", lambda turns, rate: ())
    plan = attrs.evolve(CALM, troubles=(Trouble(faults=(Fault("reset", 4.0),)),))

    with pytest.raises(Broken, match=r"seed 0: .*This is line 1.* are lost"):
        run(plan)


def test_a_broken_floor_is_told_with_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtassist.dialogue.floor._hush_all", lambda do: None)
    plan = attrs.evolve(CALM, acts=(Act(0.5, "type", "This is line 1.", 1), Act(1.0, "speak", number=2)))

    with pytest.raises(Broken, match=r"seed 0: .*breaks"):
        run(plan)


GAP = attrs.evolve(
    CALM,
    acts=(Act(2.5, "speak", number=1), Act(0.1, "type", "This is line 2.", 2)),
    troubles=(Trouble(faults=(Fault("reset", 3.4),)),),
)
"""A sentence and a line go with a connection that breaks."""
TAKEN_BACK = attrs.evolve(
    CALM,
    acts=(Act(1.0, "speak", number=1), Act(0.25, "type", "/mute"), Act(0.01, "type", "This is line 2.", 2)),
    troubles=(Trouble(latency_s=0.3),),
)


@pytest.mark.parametrize("plan", [GAP, TAKEN_BACK], ids=["kept", "taken back"])
def test_what_is_asked_behind_what_the_server_may_answer_waits(plan: Plan) -> None:
    found = run(plan)

    assert found.crossed == 0
    assert found.lost == []


@pytest.mark.parametrize("plan", [GAP, TAKEN_BACK], ids=["kept", "taken back"])
def test_who_does_not_wait_is_told_with_the_seed(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtassist.dialogue.unread._doubt", lambda do: None)

    with pytest.raises(Broken, match=r"a response is asked for, and what was said may not be read yet"):
        run(plan)


def test_who_forgets_what_is_due_is_told_with_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtassist.dialogue.asking.answer_due", lambda do: None)
    plan = attrs.evolve(CALM, acts=(Act(1.0, "speak", number=1),), troubles=(Trouble(latency_s=0.3),))
    acts = tuple(Act(0.1, "type", f"This is line {number}.", number) for number in range(2, 14))

    with pytest.raises(Broken, match=r"a response is asked for, and one is due"):
        run(attrs.evolve(plan, acts=(*plan.acts, *acts)))


UNSENT = attrs.evolve(
    CALM,
    acts=(Act(0.5, "type", "This is line 1.", 1), Act(5.0, "speak", number=2)),
    troubles=(Trouble(faults=(Fault("stall up", 3.0, 40.0), Fault("close recoverable", 8.5))),),
)
"""The network takes nothing from the third second on, and has held two more when the sentence is said."""
TOLD_LATE = attrs.evolve(
    CALM,
    acts=(Act(2.0, "speak", number=1),),
    troubles=(Trouble(faults=(Fault("slow up", 0.5, 40.0), Fault("close recoverable", 5.0))),),
)
"""The sentence is said within a second, and the server hears of its beginning two seconds after that."""


@pytest.mark.parametrize("plan", [UNSENT, TOLD_LATE], ids=["unsent", "told late"])
def test_a_sentence_on_a_slow_uplink_that_closes_is_delivered_after_it(plan: Plan) -> None:
    found = run(plan)

    assert found.connections == 2
    assert "close recoverable" in found.played
    assert found.lost == []
    assert not found.dropped
