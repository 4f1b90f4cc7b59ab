"""No order of events lets an old voice return, and no rule can be broken without this being seen."""

import pytest

from tests.dialogue import explorer, mutants
from tests.dialogue.explorer import SMALL, WHOLE, Scope, Walk, explore
from tests.dialogue.mutants import MUTANTS, Mutant, WrongArrow


@pytest.mark.parametrize(
    "scope", [*SMALL, *explorer.CUT_OFF, *explorer.UNTOLD, *WHOLE], ids=lambda scope: scope.name
)
def test_every_property_holds_in_every_state(scope: Scope, walks: list[Walk]) -> None:
    walk = explore(scope)

    assert walk.broken is None, f"\n{walk}"
    walks.append(walk)


@pytest.mark.parametrize(
    "mutant", [*MUTANTS, *mutants.CUT_OFF, *mutants.UNTOLD], ids=lambda mutant: mutant.name
)
def test_a_broken_rule_is_seen(
    mutant: Mutant | WrongArrow, monkeypatch: pytest.MonkeyPatch, caught: list[str]
) -> None:
    mutant.apply(monkeypatch)

    scopes = SMALL
    if mutant in mutants.CUT_OFF:
        scopes = explorer.CUT_OFF
    elif mutant in mutants.UNTOLD:
        scopes = explorer.UNTOLD
    found = (explore(scope).broken for scope in scopes if scope.mode == mutant.mode)
    broken = next((rule for rule in found if rule is not None), None)
    assert broken is not None, "no walk sees that"
    assert broken.rule == mutant.seen_as
    caught.append(mutant.name)
