"""Examinations at the same time, told in order."""

from functools import partial

import trio
from trio.testing import MockClock

from rtassist.doctor.examine import Examination, Found, examine
from rtassist.doctor.report import Check


def check(id: str) -> Check:
    return Check(id=id, state="ok", summary=id)


async def takes(seconds: float, ids: str, found: Found) -> None:
    for id in ids:
        await trio.sleep(seconds)
        found(check(id))


async def test_they_run_at_once_and_are_told_in_order_as_they_end(autojump_clock: MockClock) -> None:
    told: list[tuple[float, str]] = []
    began_s = trio.current_time()
    examinations = [
        Examination(id="slow", deadline_s=100, run=partial(takes, 5, "ab")),
        Examination(id="quick", deadline_s=100, run=partial(takes, 1, "c")),
        Examination(id="last", deadline_s=100, run=partial(takes, 12, "d")),
    ]
    found = await examine(examinations, lambda c: told.append((trio.current_time() - began_s, c.id)))
    assert [(round(at_s), id) for at_s, id in told] == [(5, "a"), (10, "b"), (10, "c"), (12, "d")]
    assert [c.id for c in found] == ["a", "b", "c", "d"]


async def test_one_that_hangs_has_failed_and_keeps_what_it_found(autojump_clock: MockClock) -> None:
    hung = Examination(id="hung", deadline_s=7, run=partial(takes, 5, "ab"), cure="wake it.")
    quick = Examination(id="quick", deadline_s=1, run=partial(takes, 0, "c"))
    found = await examine([hung, quick], lambda c: None)
    assert [(c.id, c.state) for c in found] == [("a", "ok"), ("hung", "failed"), ("c", "ok")]
    assert found[1].summary == "The check hung did not end within 7 s."
    assert found[1].cure == "wake it."
