"""No order of events lets an old voice return, and no rule can be broken without this being seen."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from attrs import frozen

from tests.dialogue import explorer, mutants
from tests.dialogue.explorer import SMALL, WHOLE, Scope, explore
from tests.dialogue.mutants import MUTANTS

WHOLES = (*SMALL, *explorer.CUT_OFF, *explorer.UNTOLD, *explorer.FAILING, *WHOLE)
SEEN_IN = (
    (MUTANTS, SMALL),
    (mutants.CUT_OFF, explorer.CUT_OFF),
    (mutants.UNTOLD, explorer.UNTOLD),
    (mutants.FAILING, explorer.FAILING),
)
SCOPES = {scope.name: scope for scope in WHOLES}
BROKEN = {mutant.name: (mutant, scopes) for some, scopes in SEEN_IN for mutant in some}
assert len(SCOPES.keys() | BROKEN.keys()) == len(WHOLES) + sum(len(some) for some, _ in SEEN_IN), (
    "two have one name"
)


@frozen
class Walked:
    """What comes of a walk in another process."""

    states: int
    steps: int
    broke: str | None
    told: str


def walked(scope: Scope) -> Walked:
    walk = explore(scope)
    return Walked(walk.states, walk.steps, None if walk.broken is None else walk.broken.rule, f"\n{walk}")


def look(name: str) -> Walked | None:
    """Of a scope the walk through it; of a mutant the first that sees it."""
    if name in SCOPES:
        return walked(SCOPES[name])
    mutant, scopes = BROKEN[name]
    with pytest.MonkeyPatch.context() as patch:
        mutant.apply(patch)
        walks = (walked(scope) for scope in scopes if scope.mode == mutant.mode)
        return next((walk for walk in walks if walk.broke is not None), None)


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Walked | None]]]:
    """What each of the chosen tests is to look at, on all cores: together they are minutes of work."""
    chosen: list[Any] = [item for item in request.session.items if item.path == request.path]
    names = [item.callspec.params["name"] for item in chosen]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield {name: pool.submit(look, name) for name in names}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", SCOPES)
def test_every_property_holds_in_every_state(
    name: str, found: dict[str, Future[Walked | None]], walks: list[Walked]
) -> None:
    walk = found[name].result()
    assert walk is not None
    assert walk.broke is None, walk.told
    walks.append(walk)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_seen(name: str, found: dict[str, Future[Walked | None]], caught: list[str]) -> None:
    walk = found[name].result()
    assert walk is not None, "no walk sees that"
    assert walk.broke == BROKEN[name][0].seen_as
    caught.append(name)
