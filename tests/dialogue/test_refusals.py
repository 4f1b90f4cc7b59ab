"""What the server's errors mean for the conversation."""

import pytest

from rtassist.dialogue.effects import ClearAlarm, Outcome, Quit, Send, SetAlarm
from rtassist.dialogue.events import SpeakerLost
from rtassist.dialogue.refusals import FATAL, HARMLESS
from rtassist.dialogue.step import begin
from rtassist.protocol import UNSET, Response, ResponseDone, SessionUpdate, StatusDetails, StatusError
from tests.playbook import Playbook, Refusal, Says, after, created, error, listening, said, session_created

ALARMS = (SetAlarm, ClearAlarm)


def failed(details: StatusDetails | str | None, status: str = "failed") -> ResponseDone:
    return ResponseDone(response=Response(id="R1", status=status, status_details=details))


@pytest.mark.parametrize("code", sorted(HARMLESS))
def test_a_request_that_crossed_with_what_happened_is_a_note(code: str) -> None:
    assert Playbook(listening(), blind_to=ALARMS) >> error(code) << Says("The server said: no", "debug")


@pytest.mark.parametrize("code", ["invalid_value", "something_new", None])
def test_any_other_refusal_is_told_and_the_conversation_goes_on(code: str | None) -> None:
    book = Playbook(listening(), blind_to=ALARMS) >> error(code) << Says("The server said: no", "warning")
    assert book
    assert not book.state.over


@pytest.mark.parametrize("code", sorted(FATAL))
def test_what_no_answer_can_follow_ends_with_advice(code: str) -> None:
    message = f"The server refused: no. {FATAL[code]}"
    assert Playbook(listening()) >> error(code, "no.") << Quit(Outcome.REFUSED, message)
    details = StatusDetails(type="failed", error=StatusError(code=code, message="no."))
    assert (
        Playbook(after(listening(), created("R1"))) >> said(failed(details)) << Quit(Outcome.REFUSED, message)
    )


def test_settings_that_are_refused_end_the_conversation() -> None:
    refusal = Refusal(SessionUpdate, "invalid_value", "Invalid voice.")
    message = "The server refused: Invalid voice. The server did not accept these settings."
    assert (
        Playbook(begin(listening().terms), blind_to=(Send, *ALARMS))
        >> session_created()
        >> refusal
        << Quit(Outcome.REFUSED, message)
    )


def test_another_refusal_is_not_taken_for_the_one_of_the_settings() -> None:
    opened = Playbook(begin(listening().terms), blind_to=(Send, *ALARMS)) >> session_created()
    assert opened >> error("invalid_value", event_id="rta_77") << Says("The server said: no", "warning")


def test_a_server_that_will_not_write_is_read_all_the_same() -> None:
    assert (
        Playbook(listening(), blind_to=(Send, *ALARMS))
        >> SpeakerLost("unplugged")
        << Says("The loudspeaker is gone")
        >> Refusal(SessionUpdate, "invalid_value")
        << Says("The server said: no", "warning")
    )


@pytest.mark.parametrize(
    ("status", "details", "words"),
    [
        (
            "incomplete",
            StatusDetails(reason="max_output_tokens"),
            "The answer is incomplete: it reached its limit",
        ),
        ("incomplete", StatusDetails(reason="content_filter"), "The answer is incomplete: it was filtered."),
        ("incomplete", StatusDetails(reason="tired"), "The answer is incomplete: tired."),
        (
            "failed",
            StatusDetails(error=StatusError(code="invalid_prompt", message="Too odd.")),
            "The answer failed: Too odd.",
        ),
        ("failed", StatusDetails(error=StatusError(code="odd", message=None)), "The answer failed: odd"),
        ("failed", StatusDetails(error=StatusError()), "The answer failed: the server gave no reason"),
        ("failed", StatusDetails(), "The answer failed: the server gave no reason"),
        ("failed", "overloaded", "The answer failed: overloaded"),
        ("failed", None, "The answer failed: the server gave no reason"),
        ("incomplete", None, "The answer is incomplete: the server gave no reason."),
    ],
)
def test_a_response_that_is_not_whole_says_why(
    status: str, details: StatusDetails | str | None, words: str
) -> None:
    assert (
        Playbook(after(listening(), created("R1")), blind_to=ALARMS)
        >> said(failed(details, status))
        << Says(words, "warning")
    )


@pytest.mark.parametrize("status", ["cancelled", "completed", UNSET])
def test_a_cancelled_response_needs_no_words(status: str) -> None:
    details = StatusDetails(reason="turn_detected")
    assert Playbook(after(listening(), created("R1")), blind_to=ALARMS) >> said(failed(details, status))
