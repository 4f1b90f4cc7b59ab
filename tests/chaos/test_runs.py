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
    monkeypatch.setattr("rtassist.dialogue.session.limits.newest", lambda turns: ())
    plan = attrs.evolve(CALM, troubles=(Trouble(faults=(Fault("reset", 4.0),)),))

    with pytest.raises(Broken, match=r"seed 0: .*This is line 1.* are lost"):
        run(plan)


def test_a_broken_floor_is_told_with_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtassist.dialogue.floor._hush_all", lambda do: None)
    plan = attrs.evolve(CALM, acts=(Act(0.5, "type", "This is line 1.", 1), Act(1.0, "speak", number=2)))

    with pytest.raises(Broken, match=r"seed 0: .*breaks"):
        run(plan)
