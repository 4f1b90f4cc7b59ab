"""Who may speak: barge-in, stop, truncation."""

import attrs
import pytest

from rtassist.dialogue import floor
from rtassist.dialogue.events import Interrupted, SpeakerLost
from rtassist.dialogue.state import Conversation
from tests.playbook import (
    Playbook,
    added,
    after,
    audio,
    audio_done,
    cancel,
    create,
    created,
    delete,
    done,
    ended,
    finish,
    hush,
    listening,
    message,
    play,
    speech_started,
    speech_stopped,
    truncate,
    typed,
    words,
)


def sounding(*, ms: int = 1000) -> Conversation:
    """The assistant is speaking: so much of A1 has come, and more is to come."""
    return after(listening(), created("R1"), added("A1"), audio("A1", ms=ms))


def test_speaking_over_the_assistant_silences_it() -> None:
    assert (
        Playbook(listening())
        >> created("R1")
        >> added("A1")
        >> audio("A1", ms=200)
        << play("A1", ms=200)
        >> audio("A1", ms=800)
        << play("A1", ms=800)
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", ms=700)
        << truncate("A1", ms=700)
        >> done("R1", "cancelled")
    )


@pytest.mark.parametrize(
    ("samples", "ms"), [(24, 1), (47, 1), (48, 2), (700 * 24 + 23, 700), (999 * 24, 999), (24_000, 1000)]
)
def test_a_truncation_names_whole_milliseconds_that_were_heard(samples: int, ms: int) -> None:
    assert (
        Playbook(sounding(ms=1000))
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", samples=samples)
        << truncate("A1", ms=ms)
    )


@pytest.mark.parametrize("samples", [0, 1, 23])
def test_what_nobody_heard_is_deleted_when_its_response_is_done(samples: int) -> None:
    assert (
        Playbook(sounding())
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", samples=samples)
        >> done("R1", "cancelled")
        << delete("A1")
    )


def test_what_nobody_heard_of_a_response_that_is_done_is_deleted_at_once() -> None:
    assert (
        Playbook(sounding())
        >> done("R1")
        << finish("A1")
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1")
        << delete("A1")
    )


def test_what_was_heard_whole_is_left_alone() -> None:
    assert Playbook(sounding()) >> audio_done("A1") << finish("A1") >> done("R1") >> ended("A1", ms=1000)


def test_what_was_heard_whole_in_the_moment_of_the_interruption_is_left_alone() -> None:
    assert (
        Playbook(sounding())
        >> audio_done("A1")
        << finish("A1")
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", ms=1000)
        >> done("R1", "cancelled")
    )


def test_what_was_heard_as_far_as_it_came_is_cut_there() -> None:
    """The server has more of it than it has sent."""
    assert (
        Playbook(sounding())
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", ms=1000)
        << truncate("A1", ms=1000)
    )


def test_all_of_it_counts_as_heard_to_the_millisecond() -> None:
    state = after(listening(), created("R1"), audio("A1", samples=1000 * 24 + 5), audio_done("A1"))
    assert Playbook(state) >> speech_started("U1") << hush("A1") >> ended("A1", ms=1000)


def test_late_audio_is_not_played_and_does_not_move_the_cut() -> None:
    assert (
        Playbook(sounding())
        >> speech_started("U1")
        << hush("A1")
        >> audio("A1", ms=300)
        >> ended("A1", ms=500)
        << truncate("A1", ms=500)
        >> audio("A1", ms=300)
        >> audio_done("A1")
        >> done("R1", "cancelled")
        >> audio("A1", ms=300)
    )


def test_the_loudspeakers_report_never_exceeds_what_it_was_given() -> None:
    assert (
        Playbook(sounding(ms=100))
        >> audio("A1", ms=100)
        << play("A1", ms=100)
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", ms=5000)
        << truncate("A1", ms=200)
    )


def test_a_second_report_is_no_news() -> None:
    assert (
        Playbook(sounding())
        >> speech_started("U1")
        << hush("A1")
        >> ended("A1", ms=500)
        << truncate("A1", ms=500)
        >> ended("A1", ms=900)
        >> done("R1", "cancelled")
        >> ended("A1", ms=900)
    )


def test_a_report_about_nothing_that_sounds_is_no_news() -> None:
    state = after(listening(), created("R1"), added("A1"))
    assert Playbook(state) >> ended("A1", ms=100) >> ended("A7", ms=100)


def test_an_interruption_after_the_response_is_done_cuts_what_still_plays() -> None:
    assert (
        Playbook(sounding())
        >> audio_done("A1")
        << finish("A1")
        >> done("R1")
        >> Interrupted()
        << hush("A1")
        >> ended("A1", ms=250)
        << truncate("A1", ms=250)
    )


def test_each_item_of_a_response_has_a_clock_of_its_own() -> None:
    assert (
        Playbook(listening())
        >> created("R1")
        >> audio("A1", ms=400)
        << play("A1", ms=400)
        >> audio_done("A1")
        << finish("A1")
        >> audio("A1b", ms=400)
        << play("A1b", ms=400)
        >> audio("A1c", ms=400)
        << play("A1c", ms=400)
        >> added("A1d")
        >> speech_started("U1")
        << hush("A1")
        << hush("A1b")
        << hush("A1c")
        >> ended("A1", ms=400)
        >> ended("A1b", ms=100)
        << truncate("A1b", ms=100)
        >> ended("A1c")
        >> done("R1", "cancelled")
        << delete("A1c")
        << delete("A1d")
    )


def test_the_truncation_goes_before_the_cancellation() -> None:
    assert (
        Playbook(sounding())
        >> Interrupted()
        << hush("A1")
        >> ended("A1", ms=300)
        << truncate("A1", ms=300)
        << cancel("R1")
        >> done("R1", "cancelled")
    )


def test_the_cancellation_waits_for_all_that_sounded() -> None:
    assert (
        Playbook(after(sounding(), audio("A1b", ms=500)))
        >> Interrupted()
        << hush("A1")
        << hush("A1b")
        >> ended("A1", ms=300)
        << truncate("A1", ms=300)
        >> ended("A1b", ms=100)
        << truncate("A1b", ms=100)
        << cancel("R1")
    )


def test_a_response_that_is_done_meanwhile_is_not_cancelled() -> None:
    assert (
        Playbook(sounding())
        >> Interrupted()
        << hush("A1")
        >> done("R1")
        >> ended("A1", ms=300)
        << truncate("A1", ms=300)
    )


def test_a_response_that_the_server_cancels_is_not_cancelled_by_us() -> None:
    assert (
        Playbook(sounding())
        >> Interrupted()
        << hush("A1")
        >> speech_started("U1")
        >> ended("A1", ms=300)
        << truncate("A1", ms=300)
        >> Interrupted()
        >> typed("stop")
    )


def test_two_stops_cancel_once() -> None:
    state = after(listening(), created("R1"))
    assert Playbook(state) >> Interrupted() << cancel("R1") >> Interrupted() >> typed("stop")


def test_stop_before_the_response_begins_denies_it_the_floor() -> None:
    assert (
        Playbook(after(listening(), typed("hello")))
        >> Interrupted()
        >> created("R1")
        << cancel("R1")
        >> added("A1")
        >> audio("A1", ms=200)
        >> done("R1", "cancelled")
        << delete("A1")
    )


def test_a_response_that_begins_while_the_user_speaks_is_denied_the_floor() -> None:
    assert (
        Playbook(after(listening(), speech_started("U1")))
        >> created("R1")
        << cancel("R1")
        >> audio("A1", ms=200)
        >> done("R1", "cancelled")
        << delete("A1")
    )


def test_the_answer_to_what_the_user_says_now_is_not_mistaken_for_the_one_before() -> None:
    """The server made none for the first turn, since the user went on."""
    assert (
        Playbook(listening())
        >> speech_started("U1")
        >> speech_stopped("U1")
        >> speech_started("U2")
        >> speech_stopped("U2")
        >> created("R1")
        >> audio("A1", ms=200)
        << play("A1", ms=200)
    )


def test_where_the_server_does_not_interrupt_speech_changes_nothing() -> None:
    state = after(listening(interrupts=False), created("R1"), audio("A1", ms=200))
    assert Playbook(state) >> speech_started("U1") >> audio("A1", ms=200) << play("A1", ms=200)


def test_a_typed_line_interrupts() -> None:
    assert (
        Playbook(sounding())
        >> typed("no, the other one")
        << hush("A1")
        << message("no, the other one")
        >> ended("A1", ms=300)
        << truncate("A1", ms=300)
        << cancel("R1")
        >> done("R1", "cancelled")
        << create()
        >> created("R2")
        >> audio("A2", ms=200)
        << play("A2", ms=200)
    )


def test_a_response_that_begins_beside_another_silences_it() -> None:
    """No server may do that; there is one loudspeaker."""
    assert (
        Playbook(sounding())
        >> created("R2")
        << hush("A1")
        >> audio("A1", ms=100)
        >> audio("A2", ms=100)
        << play("A2", ms=100)
        >> ended("A1", ms=300)
        << truncate("A1", ms=300)
    )


def test_the_end_of_one_response_is_not_the_end_of_another() -> None:
    assert (
        Playbook(after(sounding(), created("R2"), audio("A2", ms=100)))
        >> done("R1")
        >> typed("hello")
        << hush("A2")
        << message("hello")
        >> ended("A1", ms=300)
        << truncate("A1", ms=300)
        >> ended("A2", ms=50)
        << truncate("A2", ms=50)
        << cancel("R2")
        >> done("R2", "cancelled")
        << create()
    )


def test_the_next_response_waits_for_the_end_of_what_sounds() -> None:
    """As with a function call: the preamble plays on while its answer is made."""
    assert (
        Playbook(sounding())
        >> done("R1")
        << finish("A1")
        >> created("R2")
        >> audio("A2", ms=100)
        << play("A2", ms=100)
        >> ended("A1", ms=1000)
        >> speech_started("U1")
        << hush("A2")
    )


def test_audio_of_a_response_that_nobody_knows_is_not_played() -> None:
    assert Playbook(listening()) >> audio("A1", ms=200) >> audio_done("A1")


def test_audio_after_the_end_of_its_item_is_not_played() -> None:
    assert Playbook(sounding()) >> audio_done("A1") << finish("A1") >> audio("A1", ms=9) >> audio_done("A1")


def test_audio_without_samples_is_not_played() -> None:
    assert Playbook(after(listening(), created("R1"))) >> audio("A1", ms=0)


def test_a_server_may_cut_its_audio_in_the_middle_of_a_sample() -> None:
    assert (
        Playbook(after(listening(), created("R1")))
        >> audio("A1", pcm=b"\1\2\3")
        << play("A1", pcm=b"\1\2")
        >> audio("A1", pcm=b"\4\5\6\7")
        << play("A1", pcm=b"\3\4\5\6")
        >> audio("A1", pcm=b"\x08")
        << play("A1", pcm=b"\7\x08")
    )


def test_the_device_is_lost_before_the_end() -> None:
    """Another takes its place: the item is over, the conversation is not."""
    assert (
        Playbook(sounding())
        >> ended("A1", ms=400)
        << truncate("A1", ms=400)
        >> audio("A1", ms=100)
        >> audio_done("A1")
        >> done("R1")
    )


def test_without_a_loudspeaker_the_rest_is_read_and_nothing_is_cut() -> None:
    assert (
        Playbook(after(sounding(), SpeakerLost("unplugged")))
        >> audio("A1", ms=100)
        >> ended("A1", ms=400)
        >> audio("A1b", ms=100)
        >> done("R1")
        >> ended("A1", ms=400)
    )


def test_without_a_loudspeaker_an_interruption_still_cuts_what_had_sounded() -> None:
    assert (
        Playbook(after(sounding(), SpeakerLost("unplugged")))
        >> added("A1b")
        >> Interrupted()
        << hush("A1")
        >> ended("A1", ms=400)
        << truncate("A1", ms=400)
        << cancel("R1")
        >> done("R1", "cancelled")
    )


def test_events_that_come_twice_change_nothing() -> None:
    assert (
        Playbook(sounding())
        >> created("R1")
        >> added("A1")
        >> done("R1")
        << finish("A1")
        >> done("R1")
        >> ended("A1", ms=1000)
        >> done("R1")
        >> audio("A1", ms=100)
        >> words("A1", "late")
    )


def test_nothing_of_what_is_over_is_remembered() -> None:
    book = Playbook(sounding()) >> done("R1") << finish("A1") >> ended("A1", ms=1000)
    assert book
    assert (dict(book.state.answers), dict(book.state.utterances)) == ({}, {})


def test_the_diagram_is_drawn_from_the_table() -> None:
    arrows = sum(len(arrows) for arrows in floor.TRANSITIONS.values())
    lines = floor.diagram().splitlines()
    assert len(lines) == arrows
    assert "sounding  ── taken  → hushed" in floor.diagram()
    assert floor.diagram() in (floor.__doc__ or "")


def test_a_conversation_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        listening().holder = "R1"  # type: ignore[misc]  # what the test is about
