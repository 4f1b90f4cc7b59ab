"""What a conversation costs is counted; a budget that is spent is held, and the user hears why."""

from decimal import Decimal
from typing import Any

import pytest

from rtassist.costs import FREE, Tokens, price_of
from rtassist.dialogue import step
from rtassist.dialogue.budget import told
from rtassist.dialogue.effects import Announce, ClearAlarm, Effect, Quit, Send, SetAlarm, Show
from rtassist.dialogue.events import ServerSaid
from rtassist.dialogue.spending import Spending, budget, lines, short
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    UNSET,
    AudioConfig,
    AudioInput,
    ConversationItemInputAudioTranscriptionCompleted,
    DurationUsage,
    SemanticVad,
    ServerVad,
    Session,
    SessionUpdate,
    Unset,
    Usage,
)
from tests.playbook import (
    Playbook,
    Says,
    after,
    append,
    audio,
    cancel,
    committed,
    create,
    created,
    done,
    ended,
    finish,
    heard,
    hush,
    line,
    listening,
    message,
    play,
    rang,
    said,
    session_created,
    session_updated,
    speech_started,
    speech_stopped,
    tokens,
    typed,
)

REFUSED = Announce("", "The budget is spent, so I cannot answer that.")
ALARMS = (SetAlarm, ClearAlarm)
DEAR = tokens(audio_in=1000, audio_out=1000)
"""9.6 cents."""


def detection(on: bool, vad: type[ServerVad] | type[SemanticVad] = ServerVad) -> Session:
    heard = AudioInput(turn_detection=vad(create_response=on))
    return Session(type="realtime", audio=AudioConfig(input=heard))


def limited(cents: int = 5, **terms: Any) -> Conversation:
    return listening(
        **{
            "session": detection(True),
            "price": price_of("gpt-realtime"),
            "transcription_price": price_of("gpt-realtime-whisper"),
            "max_cost_microusd": cents * 10_000,
            "model": "gpt-realtime",
        }
        | terms
    )


def spent(**terms: Any) -> Conversation:
    """The first answer was dear; nothing sounds any more."""
    return after(
        limited(**terms),
        speech_started("U1"),
        speech_stopped("U1"),
        committed("U1"),
        transcribed("U1"),
        created("R1"),
        done("R1", usage=DEAR),
        session_updated(),
    )


def transcribed(item_id: str, usage: DurationUsage | Unset = UNSET) -> ServerSaid:
    event = ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, transcript="hm", usage=usage)
    return said(event)


# What is counted


def test_tokens_and_money_are_summed_from_answers_and_transcripts() -> None:
    state = after(
        limited(0),
        transcribed("U1", DurationUsage(seconds=30)),
        created("R1"),
        done("R1", usage=DEAR),
        done("R9", "cancelled", usage=tokens(text_in=10)),
    )
    assert state.spending == Spending(
        responses=2,
        tokens=Tokens(audio_in=1000, audio_out=1000, text_in=10),
        transcribed_ms=30_000,
        usd=Decimal("0.0085") + Decimal("0.096") + Decimal("0.00004"),
    )
    assert short(state.spending) == "$0.105 · 2.0k tokens"


def test_of_an_unknown_model_only_the_tokens_are_told() -> None:
    state = after(limited(0, price=None), created("R1"), done("R1", usage=DEAR))
    assert state.spending.unpriced == 1
    assert short(state.spending) == "2.0k tokens"
    assert "No price is known" in next(told(state))

    partly = after(state, transcribed("U1", DurationUsage(seconds=60)))
    assert short(partly.spending) == "over $0.017 · 2.0k tokens"
    assert "What has one cost $0.017." in next(told(partly))


def test_an_answer_that_tells_no_usage_is_not_counted() -> None:
    for usage in (Usage(), Usage(total_tokens=0, input_tokens=0, output_tokens=0)):
        state = after(limited(), created("R1"), done("R1", usage=usage))
        assert state.spending == Spending()
        assert short(state.spending) == ""


def test_a_short_line_and_a_long_account() -> None:
    assert short(Spending(tokens=Tokens(text_in=999), usd=Decimal("12.3456"))) == "$12.35 · 999 tokens"
    assert short(Spending(tokens=Tokens(text_in=150_000))) == "$0.000 · 0.15M tokens"
    assert (budget(Decimal("0.5")), budget(Decimal("0.125"))) == ("$0.50", "$0.125")

    counted = Tokens(text_in=1200, text_cached=800, text_out=30, audio_in=5, image_in=7, unsorted_in=2)
    spending = Spending(responses=1, tokens=counted, transcribed=Tokens(audio_in=40, text_out=4))
    assert list(lines(spending, FREE, "m")) == [
        "1 answer of m: $0.000, for this program's own server is free.",
        "tokens              in  in, cached       out",
        "text             1,200         800        30",
        "audio                5           0         0",
        "image                7           0         0",
        "of any kind          2           0         0",
        "written down        40                     4",
    ]
    assert list(lines(Spending(transcribed_ms=1500), None, "m"))[-1] == "written down: 1.5 s of speech"


def test_cost_is_a_command() -> None:
    assert (
        Playbook(spent(), blind_to=ALARMS)
        >> typed("/cost")
        << Says("1 answer of gpt-realtime: $0.096, at OpenAI's list prices of 2026-08.")
        << Says("in, cached")
        << Says("audio            1,000           0     1,000")
        << Says("$0.000 of $0.05 are left (--max-cost).")
    )
    earlier = limited(50, spent_microusd=123_000)
    assert (
        Playbook(earlier, blind_to=ALARMS)
        >> typed("/cost")
        << Says("0 answers of gpt-realtime: $0.000")
        << Says("in, cached")
        << Says("$0.123 before this conversation began.")
        << Says("$0.377 of $0.50 are left (--max-cost).")
    )


# A budget that is spent


@pytest.mark.parametrize("vad", [ServerVad, SemanticVad])
def test_the_server_is_told_to_answer_nothing_as_soon_as_the_budget_is_spent(
    vad: type[ServerVad] | type[SemanticVad],
) -> None:
    assert (
        Playbook(limited(session=detection(True, vad)))
        >> created("R1")
        >> audio("A1", ms=200)
        << play("A1", ms=200)
        >> done("R1", usage=DEAR)
        << Send(SessionUpdate(session=detection(False, vad)))
        << finish("A1")
        >> ended("A1", ms=200)
        >> done("R2", usage=DEAR)
    )


def test_where_the_user_ends_his_turns_nothing_is_to_be_told_to_the_server() -> None:
    pushed = limited(session=Session(type="realtime"), server_turns=False, push_to_talk=True)
    assert Playbook(pushed) >> created("R1") >> done("R1", usage=DEAR)


def test_what_is_typed_then_is_refused_with_a_reason_that_is_spoken() -> None:
    assert (
        Playbook(spent(), blind_to=ALARMS)
        >> typed("and now?")
        << line("", "and now?", "user", typed=True)
        << message("and now?")
        << Says("The budget of $0.05 is spent ($0.096): this is not answered. The microphone is off")
        << REFUSED
        >> heard(ms=20)
        >> ended("", ms=2000)
    )


def test_what_is_said_then_is_refused_as_well() -> None:
    assert (
        Playbook(spent())
        >> speech_started("U2")
        >> heard(ms=20)
        << append(ms=20)
        >> speech_stopped("U2")
        << REFUSED
        >> committed("U2")
    )
    assert spent().muted is False
    refused = after(spent(), speech_started("U2"), speech_stopped("U2"))
    assert refused.muted
    assert refused.requests == ()


def test_an_answer_that_the_server_began_before_it_was_told_is_cancelled() -> None:
    assert Playbook(spent()) >> created("R2") << cancel("R2") << REFUSED >> audio("A2", ms=100)


def test_a_refusal_is_shown_where_nothing_is_heard() -> None:
    written = spent(voiced=False, speaker=False)
    assert Playbook(written, blind_to=(Show, Send)) >> typed("and now?")
    assert after(written, typed("and now?")).quiet()


def test_the_refusal_is_heard_to_its_end_before_a_conversation_ends() -> None:
    asked = after(spent(microphone_ends=True, microphone=False), typed("and now?"))
    assert not asked.quiet()
    over = Playbook(asked, blind_to=(Show, Send))
    assert over >> typed("/goodbye") << hush(str(asked.announcement)) << REFUSED
    assert over.state.announcement is not None
    assert over >> ended(over.state.announcement, ms=2000) << Quit()


def test_a_user_who_speaks_silences_it() -> None:
    refused = after(spent(), typed("and now?"))
    playbook = Playbook(refused) >> speech_started("U3") << hush(str(refused.announcement))
    assert playbook >> speech_stopped("U3") << REFUSED


def test_in_a_pause_nothing_is_refused() -> None:
    assert not after(spent(), typed("/pause"), speech_stopped("U2")).wanted
    assert Playbook(after(spent(), typed("/pause"))) >> speech_stopped("U2")


def test_a_transcription_may_be_what_spends_it() -> None:
    state = after(limited(1), transcribed("U1", DurationUsage(seconds=60)))
    assert Playbook(state, blind_to=(Show, SetAlarm, ClearAlarm)) >> created("R1") << cancel("R1") << REFUSED


def test_what_earlier_conversations_cost_counts() -> None:
    assert (
        Playbook(limited(spent_microusd=50_000), blind_to=(Show, *ALARMS))
        >> created("R")
        << cancel("R")
        << REFUSED
    )
    assert Playbook(limited(spent_microusd=49_999)) >> created("R")


def test_without_a_budget_nothing_is_ever_refused() -> None:
    free = after(limited(0), created("R1"), done("R1", usage=DEAR))
    assert Playbook(free, blind_to=(Show, *ALARMS)) >> typed("more") << message("more") << create()


# Time


def opened(max_length_ms: int) -> tuple[Conversation, list[Effect]]:
    """Whose session stands after a second, and the alarms that were set then."""
    terms = Terms(session=Session(type="realtime"), max_length_ms=max_length_ms)
    state = after(step.begin(terms), session_created())
    state, asked = step.step(state, 1_000_000, session_updated())
    return state, [effect for effect in asked if isinstance(effect, SetAlarm)]


def test_a_minute_before_the_end_it_is_told_and_at_the_end_the_conversation_is_over() -> None:
    state, alarms = opened(150_000)
    assert [SetAlarm("last minute", 90_000_000), SetAlarm("time", 150_000_000)] == alarms
    assert (
        Playbook(state, blind_to=(ClearAlarm,))
        >> rang("last minute")
        << Says("One minute is left")
        << Announce("", "One minute is left.")
        >> ended("rta_2", ms=900)
        >> rang("time")
        << Says("The time is over")
        << SetAlarm("out", 20_000_000)
        << Quit()
    )


def test_what_is_being_said_when_the_time_is_over_may_end_if_it_is_not_long() -> None:
    speaking = after(limited(max_length_ms=1000), speech_started("U1"))
    playbook = Playbook(speaking) >> rang("time") >> speech_stopped("U1") >> created("R1") >> done("R1")
    assert playbook >> transcribed("U1") << Quit()
    assert Playbook(speaking) >> rang("time") >> rang("out") << Quit()


def test_a_run_that_is_over_already_ends_at_once() -> None:
    assert opened(1)[1] == [SetAlarm("time", 1_000_000)]
