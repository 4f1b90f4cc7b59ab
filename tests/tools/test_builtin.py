import json
from datetime import datetime, timedelta, timezone

import pytest
import trio
import trio.testing

from rtassist.tools.builtin import clock, timer
from rtassist.tools.registry import Toolbox


async def test_the_time_is_the_users() -> None:
    summer = timezone(timedelta(hours=2), "CEST")
    now = datetime(2026, 8, 1, 9, 5, 30, 999, tzinfo=summer)

    answer = await Toolbox([clock(lambda: now)]).run("current_time", "{}")

    assert json.loads(answer) == {"time": "2026-08-01T09:05:30+02:00", "weekday": "Saturday", "zone": "CEST"}


async def test_a_timer_answers_at_once_and_rings_when_due(autojump_clock: trio.testing.MockClock) -> None:
    rung: list[tuple[float, str]] = []
    async with trio.open_nursery() as nursery:
        toolbox = Toolbox([timer(nursery, lambda label: rung.append((trio.current_time(), label)))])
        tea = await toolbox.run("set_timer", '{"seconds": 180, "label": "tea"}')
        eggs = await toolbox.run("set_timer", '{"seconds": 90.5}')
        assert trio.current_time() == 0
        assert rung == []

    assert json.loads(tea) == {"set": True, "seconds": 180.0, "label": "tea"}
    assert json.loads(eggs) == {"set": True, "seconds": 90.5, "label": ""}
    assert rung == [(90.5, ""), (180.0, "tea")]


@pytest.mark.parametrize("seconds", ["0", "-1", "86401", "1e999", "NaN"])
async def test_a_timer_has_a_length_that_makes_sense(seconds: str) -> None:
    async with trio.open_nursery() as nursery:
        answer = await Toolbox([timer(nursery, pytest.fail)]).run("set_timer", f'{{"seconds": {seconds}}}')
        assert json.loads(answer) == {
            "error": "set_timer failed: seconds must be more than 0 and at most 86400"
        }


async def test_timers_end_with_the_conversation(autojump_clock: trio.testing.MockClock) -> None:
    async with trio.open_nursery() as nursery:
        await Toolbox([timer(nursery, pytest.fail)]).run("set_timer", '{"seconds": 60}')
        nursery.cancel_scope.cancel()
    await trio.sleep(120)


def test_the_model_is_told_what_the_parameters_are() -> None:
    parameters = timer(None, print).definition.parameters  # type: ignore[arg-type] # only described, never run
    assert parameters == {
        "type": "object",
        "properties": {
            "seconds": {"type": "number", "description": "How long from now, in seconds."},
            "label": {"type": "string", "description": "What it is for, in a few words."},
        },
        "required": ["seconds"],
        "additionalProperties": False,
    }
