"""Examinations at the same time, told in the order in which they are listed."""

import math
from collections.abc import Awaitable, Callable, Sequence

import trio
from attrs import frozen

from rtassist.doctor.report import Check

Found = Callable[[Check], None]


@frozen(kw_only=True)
class Examination:
    """`run` gives what it finds to the function that it is handed, one or several checks. It is cancelled
    after `deadline_s`, and then the check `id` has failed, with `cure`; blocking calls are for threads that
    may be left behind.
    """

    id: str
    deadline_s: float
    run: Callable[[Found], Awaitable[None]]
    cure: str = ""


async def examine(examinations: Sequence[Examination], found: Found) -> list[Check]:
    """All that was found. `found` gets each check when all before it were told."""
    told: list[Check] = []
    async with trio.open_nursery() as nursery:
        results = []
        for examination in examinations:
            send, receive = trio.open_memory_channel[Check](math.inf)
            nursery.start_soon(_one, examination, send)
            results.append(receive)
        for receive in results:
            async for check in receive:
                told.append(check)
                found(check)
    return told


async def _one(examination: Examination, send: trio.MemorySendChannel[Check]) -> None:
    with send:
        with trio.move_on_after(examination.deadline_s) as scope:
            await examination.run(send.send_nowait)
        if scope.cancelled_caught:
            summary = f"The check {examination.id} did not end within {examination.deadline_s:g} s."
            send.send_nowait(Check(id=examination.id, state="failed", summary=summary, cure=examination.cure))
