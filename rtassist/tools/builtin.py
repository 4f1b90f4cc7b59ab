"""The time, and a timer: tools that every conversation has."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import trio

from rtassist.tools.registry import Tool, tool

LONGEST_TIMER_S = 24 * 60 * 60


def clock(now: Callable[[], datetime]) -> Tool:
    """The tool `current_time`; `now` gives the local time with its zone."""

    def current_time() -> dict[str, str]:
        """The user's date, weekday and time of day."""
        moment = now()
        return {
            "time": moment.isoformat(timespec="seconds"),
            "weekday": moment.strftime("%A"),
            "zone": moment.tzname() or "local",
        }

    return tool(current_time)


def timer(nursery: trio.Nursery, on_due: Callable[[str], None]) -> Tool:
    """The tool `set_timer`: it answers at once, and `on_due(label)` is called when the time is over.

    The waiting is a task in `nursery` and ends with it; nothing of a timer is kept beyond that.
    """

    async def wait(seconds: float, label: str) -> None:
        await trio.sleep(seconds)
        on_due(label)

    return timer_of(lambda seconds, label: nursery.start_soon(wait, seconds, label))


def timer_of(start: Callable[[float, str], None]) -> Tool:
    """The same, with `start(seconds, label)` for what begins the waiting."""

    async def set_timer(
        seconds: Annotated[float, "How long from now, in seconds."],
        label: Annotated[str, "What it is for, in a few words."] = "",
    ) -> dict[str, object]:
        """Set a timer. The user is told when it is over; you need not wait for it."""
        if not 0 < seconds <= LONGEST_TIMER_S:
            raise ValueError(f"seconds must be more than 0 and at most {LONGEST_TIMER_S}")
        start(seconds, label)
        return {"set": True, "seconds": seconds, "label": label}

    return tool(set_timer)
