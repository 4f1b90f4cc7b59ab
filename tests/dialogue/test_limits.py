"""What the server lets us have: its limits on a while, and the model's context."""

from __future__ import annotations

import pytest

from rtassist.dialogue import events, limits
from rtassist.dialogue.connection import Limits, Rate
from rtassist.dialogue.effects import SetAlarm
from rtassist.dialogue.terms import Turn
from rtassist.protocol import (
    RateLimit,
    RateLimitsUpdated,
    Response,
    ResponseDone,
    StatusDetails,
    StatusError,
    Usage,
)
from tests.playbook import (
    Playbook,
    Says,
    Wait,
    after,
    create,
    created,
    done,
    listening,
    message,
    rang,
    said,
    typed,
)


def failed(response_id: str, words: str = "Rate limit reached.") -> events.ServerSaid:
    error = StatusError(code="rate_limit_exceeded", message=words)
    details = StatusDetails(type="failed", error=error)
    return said(ResponseDone(response=Response(id=response_id, status="failed", status_details=details)))


def left(remaining: int, resets_s: float) -> events.ServerSaid:
    rate = RateLimit(name="tokens", limit=40_000, remaining=remaining, reset_seconds=resets_s)
    return said(RateLimitsUpdated(rate_limits=(rate,)))


def test_an_answer_that_failed_of_a_limit_is_asked_for_again_once() -> None:
    assert (
        Playbook(listening())
        >> typed("hello")
        << message("hello")
        << create()
        >> created("R1")
        >> failed("R1")
        >> rang("limit")
        << create()
        >> created("R2")
        >> failed("R2")
        >> rang("limit")
    )


def test_what_is_asked_meanwhile_takes_its_place() -> None:
    assert (
        Playbook(listening())
        >> typed("hello")
        << message("hello")
        << create()
        >> created("R1")
        >> failed("R1")
        >> typed("something else")
        << message("something else")
        << create()
        >> rang("limit")
    )


def test_stop_means_that_too() -> None:
    book = Playbook(listening()) >> created("R1") >> failed("R1") >> events.Interrupted() >> rang("limit")
    assert book
    assert book.state.quiet()


@pytest.mark.parametrize(
    ("words", "rates", "wait_us"),
    [
        ("Please try again in 1.2s. See the docs.", None, 1_200_000),
        ("Please try again in 850ms.", left(0, 30), 850_000),
        ("Please try again in 1m3.5s.", None, 63_500_000),
        ("Please try again in 20m0s.", None, limits.LONGEST_WAIT_US),
        ("Too much.", left(0, 12.5), 12_500_000),
        ("Too much.", left(100, 12.5), limits.USUAL_WAIT_US),
        ("Too much.", None, limits.USUAL_WAIT_US),
    ],
)
def test_it_is_asked_again_when_the_server_says(
    words: str, rates: events.ServerSaid | None, wait_us: int
) -> None:
    state = after(listening(), created("R1"), *([rates] if rates else []))
    book = Playbook(state, blind_to=()) >> failed("R1", words)
    (alarm,) = (effect for effect in book._steps[-1].actual if isinstance(effect, SetAlarm))
    assert alarm == SetAlarm("limit", wait_us)


def test_the_user_is_told_and_a_long_wait_is_explained() -> None:
    short = Playbook(after(listening(), created("R1")), blind_to=(SetAlarm,)) >> failed(
        "R1", "Please try again in 2s."
    )
    assert short << Says(
        "The server's limit is reached: Please try again in 2s. It is asked again in 2 s.", "warning"
    )
    long = Playbook(after(listening(), created("R1")), blind_to=(SetAlarm,)) >> failed("R1")
    assert long << Says("It is asked again in 10 s. That takes a while; ask something else", "warning")


def test_the_conversation_waits_for_it() -> None:
    state = after(listening(), created("R1"), failed("R1"))
    assert not state.quiet()
    assert after(state, rang("limit"), created("R2"), done("R2")).quiet()


def test_the_rates_are_kept_with_the_time_at_which_they_reset() -> None:
    book = Playbook(listening()) >> Wait(5_000_000) >> left(17, 2.5)
    assert book.state.limits.rates == (Rate(name="tokens", limit=40_000, remaining=17, resets_us=7_500_000),)


def test_the_context_is_as_full_as_the_last_response_says() -> None:
    used = said(
        ResponseDone(response=Response(id="R1", status="completed", usage=Usage(total_tokens=64_000)))
    )
    state = after(listening(), created("R1"), used)
    assert limits.fill(state.limits, 128_000) == 0.5
    assert limits.fill(Limits(context_tokens=40_000), 32_000) == 1.0


def test_the_newest_lines_within_the_budget_are_told() -> None:
    lines = [Turn("user", "x" * 300) for _ in range(100)]
    assert len(limits.newest(lines, 1040)) == 10
    assert limits.newest(lines, 1040)[-1] is lines[-1]
    assert limits.newest([], 10) == ()
