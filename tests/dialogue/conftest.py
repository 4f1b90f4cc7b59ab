"""The counts of the walk through all states, told at the end of a test run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.dialogue.test_explorer import Walked

WALKS = pytest.StashKey[list["Walked"]]()
CAUGHT = pytest.StashKey[list[str]]()


@pytest.fixture
def walks(pytestconfig: pytest.Config) -> list[Walked]:
    return pytestconfig.stash.setdefault(WALKS, [])


@pytest.fixture
def caught(pytestconfig: pytest.Config) -> list[str]:
    return pytestconfig.stash.setdefault(CAUGHT, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    walks = config.stash.get(WALKS, [])
    if walks:
        states, steps = sum(walk.states for walk in walks), sum(walk.steps for walk in walks)
        caught = len(config.stash.get(CAUGHT, []))
        terminalreporter.write_line(f"dialogue: {states} states, {steps} steps, {caught} mutants caught")
