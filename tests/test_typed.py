"""Typed lines outlive the conversation that was held when they came."""

import io
from collections.abc import AsyncIterator
from typing import Any, cast

from trio.testing import wait_all_tasks_blocked

from rtassist.dialogue import events
from rtassist.front import Front
from rtassist.typed import typing


class Lines:
    """In the place of a screen that reads keys: what was pressed, and then no more."""

    def __init__(self, *lines: str) -> None:
        self.pressed = self._pressed(lines)

    async def _pressed(self, lines: tuple[str, ...]) -> AsyncIterator[events.Typed]:
        for line in lines:
            yield events.Typed(line)


async def test_a_keyboard_is_there_until_the_last_line_is_taken() -> None:
    front = Front(cast(Any, Lines("one", "two")), io.StringIO(), typed=True)
    async with typing(front) as typed:
        await wait_all_tasks_blocked()
        assert typed.there, "all is read, and nothing taken"
        assert await typed.commands.receive() == events.Typed("one")
        assert typed.there
        assert await typed.commands.receive() == events.Typed("two")
        assert not typed.there


async def test_where_nothing_is_typed_nothing_is_read() -> None:
    async with typing(Front(cast(Any, Lines("one")), io.StringIO(), typed=False)) as typed:
        await wait_all_tasks_blocked()
        assert not typed.there
