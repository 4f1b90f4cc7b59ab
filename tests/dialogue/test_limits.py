"""What the server lets us have: its limits on a while, and the model's context."""

from __future__ import annotations

import attrs
import pytest

from rtassist.dialogue import events, limits
from rtassist.dialogue.connection import Limits, Rate
from rtassist.dialogue.effects import Announce, ClearAlarm, Finish, Send, SetAlarm
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import step
from rtassist.dialogue.terms import Turn
from rtassist.protocol import (
    ClientEvent,
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
    added,
    after,
    audio,
    committed,
    create,
    created,
    done,
    function_call,
    listening,
    message,
    rang,
    said,
    session_created,
    session_updated,
    speech_started,
    speech_stopped,
    text,
    tokens,
    typed,
    words_done,
)

LOST = events.LinkLost(1006, "Gone.", recoverable=True)


def sent(state: Conversation, event: events.Event) -> list[ClientEvent]:
    return [effect.event for effect in step(state, 0, event)[1] if isinstance(effect, Send)]


def failed(
    response_id: str, words: str = "Try again in 1.2s.", code: str = "rate_limit_exceeded"
) -> events.ServerSaid:
    error = StatusError(code=code, message=words)
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


@pytest.mark.parametrize("barge_in", ["confirm", "off"])
def test_what_is_said_meanwhile_takes_its_place_where_it_takes_no_floor(barge_in: str) -> None:
    state = after(listening(barge_in=barge_in, interrupts=False), created("R1"), failed("R1", "Oh."))
    assert sent(after(state, speech_started("U1"), speech_stopped("U1")), committed("U1"))
    state = after(state, speech_started("U1"), speech_stopped("U1"), committed("U1"), created("R2"))
    assert sent(after(state, done("R2")), rang("limit")) == []
    assert sent(state, failed("R2", "Oh.", "server_error")), "the question has its own second attempt"


@pytest.mark.parametrize(
    "meanwhile",
    [[events.TimerDue("tea")], [events.ToolEnded("c1", "20 degrees")]],
    ids=["a timer", "a tool's result"],
)
def test_what_the_model_is_told_meanwhile_is_answered_together_with_it(meanwhile: list[events.Event]) -> None:
    calls = done("R0", calls=[function_call("c1")])
    state = after(listening(), created("R0"), calls, created("R1"), failed("R1"), *meanwhile)
    assert state.requests
    state = after(state, created("R2"), done("R2"))
    assert sent(state, rang("limit")) == []
    assert not state.limits.retry_due


def test_words_that_were_to_be_said_are_said_behind_what_the_model_was_told() -> None:
    state = after(listening(), typed("/say One two."), created("R1"), failed("R1"), events.TimerDue("tea"))
    state = after(state, created("R2"), done("R2"))
    assert "One two." in str(sent(state, rang("limit")))


@pytest.mark.parametrize(
    ("words", "rates", "wait_us"),
    [
        ("Please try again in 1.2s. See the docs.", None, 1_200_000),
        ("Please try again in 850ms.", left(0, 30), 850_000),
        ("Please try again in 1m3.5s.", None, 63_500_000),
        ("Please try again in 20m0s.", None, limits.LONGEST_WAIT_US),
        pytest.param(f"Please try again in {'9' * 5000}m3.5s.", None, limits.LONGEST_WAIT_US, id="minutes"),
        pytest.param(f"Please try again in {'9' * 400}s.", None, limits.LONGEST_WAIT_US, id="seconds"),
        ("Too much.", left(0, 12.5), 12_500_000),
        ("Too much.", left(0, 1e308), limits.LONGEST_WAIT_US),
        ("Too much.", left(0, -1e308), 0),
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
        "The server's limit is reached. It is asked again in 2 s. It said: Please try again in 2s.", "warning"
    )
    long = Playbook(after(listening(), created("R1")), blind_to=(SetAlarm,)) >> failed("R1", "Too much.")
    assert (
        long
        << Says("It is asked again in 10 s; ask something else to go on sooner.", "warning")
        << Announce("", "The server's limit is reached. I ask it again in 10 seconds.")
    )


def test_no_wait_is_told_as_one_of_no_seconds() -> None:
    book = Playbook(after(listening(), created("R1")), blind_to=(SetAlarm,)) >> failed("R1", "again in 0s.")
    assert book << Says("It is asked again in 1 s.", "warning")


def test_words_that_were_to_be_said_are_asked_for_again() -> None:
    state = after(listening(), typed("/say One two."), created("R1"), failed("R1"))
    assert not state.wanted
    assert "One two." in str(sent(state, rang("limit")))


@pytest.mark.parametrize("type_", ["server_error", "failed"])
def test_an_answer_at_which_the_server_failed_is_asked_for_again_once(type_: str) -> None:
    code = None if type_ == "server_error" else "server_error"
    error = StatusError(type=type_, code=code, message="Oh.")
    details = StatusDetails(type="failed", error=error)
    fails = [
        said(ResponseDone(response=Response(id=id, status="failed", status_details=details)))
        for id in ("R1", "R2", "R3")
    ]
    state = after(listening(), typed("hello"), created("R1"))
    book = (
        Playbook(state, blind_to=(SetAlarm, ClearAlarm))
        >> fails[0]
        << Says("The answer failed and is asked for again: Oh.", "debug")
        << create()
        >> created("R2")
        >> fails[1]
        << Says("The answer failed again: Oh.", "warning")
    )
    assert book
    assert book.state.quiet()
    asked = after(book.state, typed("and now?"), created("R3"))
    assert sent(asked, fails[2]), "the next question has its own"


def test_what_was_heard_of_it_is_not_begun_anew() -> None:
    fails = failed("R1", "Oh.", "server_error")
    state = after(listening(), typed("hello"), created("R1"), added("A1"), audio("A1", ms=200))
    book = Playbook(state, blind_to=(SetAlarm, ClearAlarm, Finish)) >> fails
    assert book << Says("The answer broke off, for the server failed: Oh.", "warning")
    read = after(listening(voiced=False), typed("hi"), created("R1"), added("A1"), text("A1", "Well"))
    assert not sent(read, fails)


def test_who_took_the_floor_is_asked_nothing_again() -> None:
    state = after(listening(), created("R1"), events.Interrupted())
    assert not sent(state, failed("R1", "Oh.", "server_error"))


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
    state = after(listening(model="gpt-realtime-2.1"), created("R1"), used)
    assert limits.fill(state) == 0.5
    over = attrs.evolve(state, limits=Limits(context_tokens=140_000))
    assert limits.fill(over) == 1.0
    assert limits.fill(after(listening(model="another"), created("R1"), used)) is None
    assert limits.fill(listening(model="gpt-realtime-2.1")) is None


def test_both_are_told_with_the_status() -> None:
    usage = Usage(total_tokens=1600)
    state = after(listening(model="gpt-realtime"), left(38_000, 3.2), created("R1"), done("R1", usage=usage))
    book = Playbook(state, blind_to=()) >> Wait(1_000_000) >> typed("/status")
    assert book << Says(
        "Context: 1,600 of 32,000 tokens (5%). "
        "Left of the server's limit: 38,000 of 40,000 tokens, all of them in 3 s.",
        "reply",
    )
    assert list(limits.told(state, 3_200_000))[1] == "Left of the server's limit: 40,000 of 40,000 tokens."


LINE = "Das ist ein Satz, der sehr oft gesagt wird. "


def test_what_a_line_takes_is_learnt_from_the_servers_count() -> None:
    """A written or spoken answer is text that we have, and whose tokens the server has counted."""
    state = listening(reconnects=True)
    before = len(limits.newest([Turn("user", LINE)] * 100, 500, state.limits.text_rate))
    for n in range(20):
        answer = (created(f"R{n}"), added(f"A{n}"), words_done(f"A{n}", LINE * 4))
        state = after(state, *answer, done(f"R{n}", usage=tokens(text_in=9000, text_out=len(LINE) * 4 // 6)))
    rate = state.limits.text_rate
    assert rate.estimate(LINE * 100) == pytest.approx(len(LINE) * 100 / 6, rel=0.2)
    assert len(limits.newest([Turn("user", LINE)] * 100, 500, rate)) > 1.4 * before
    back = (LOST, rang("redial"), events.LinkOpened(0), session_created())
    again = attrs.evolve(state, history=(Turn("user", LINE * 10),) * 80)
    told = [item for item in sent(after(again, *back), session_updated()) if "item.create" in item.type]
    assert 49 <= len(told) <= 80
    unlearnt = attrs.evolve(again, limits=Limits())
    fewer = [item for item in sent(after(unlearnt, *back), session_updated()) if "item.create" in item.type]
    assert len(fewer) < len(told)


@pytest.mark.parametrize(
    "last",
    [
        done("R1", usage=tokens(text_out=50), calls=[function_call("c1")]),
        done("R1", "cancelled", usage=tokens(text_out=50)),
        done("R1", usage=Usage(total_tokens=50)),
        done("R1"),
    ],
)
def test_nothing_is_learnt_of_what_is_not_this_text_alone(last: events.ServerSaid) -> None:
    state = after(listening(), created("R1"), added("A1"), words_done("A1", LINE * 5), last)
    assert state.limits.text_rate == Limits().text_rate


def test_the_newest_lines_within_the_budget_are_told() -> None:
    lines = [Turn("user", "x" * 300) for _ in range(100)]
    assert len(limits.newest(lines, 1040)) == 10
    assert limits.newest(lines, 1040)[-1] is lines[-1]
    assert limits.newest([], 10) == ()
