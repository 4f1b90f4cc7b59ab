"""The tree of tasks says who waits, and where."""

import trio
import trio.testing

from rtassist import tasks
from tests.ring import call


async def test_the_tasks_of_a_conversation(autojump_clock: trio.testing.MockClock) -> None:
    async with call() as held:
        await trio.testing.wait_all_tasks_blocked()
        lines = tasks.tree(trio.lowlevel.current_root_task())
        told = "\n".join(lines)
        assert held.quit is None

    assert len(lines) <= tasks.MOST_LINES
    for task in ("Exchange.run", "Playback.run", "Ring.command"):
        (line,) = [line for line in lines if task in line]
        assert ".py:" in line
    below = [line for line in lines if "Exchange._send" in line]
    assert below[0].index("exchange") > told.splitlines()[0].index(lines[0].strip())


async def test_of_many_tasks_some_are_told(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        lines = tasks.tree(trio.lowlevel.current_root_task())
        nursery.cancel_scope.cancel()

    assert len(lines) == tasks.MOST_LINES + 1
    assert lines[-1].endswith(" more")
    assert tasks.tree(None) == []
