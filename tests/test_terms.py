"""What settings and devices mean for the session."""

import json
from decimal import Decimal
from typing import Any, Literal

import attrs
import pytest

from rtassist.costs import FREE, price_of
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    UNSET,
    AudioConfig,
    AudioInput,
    RetentionRatio,
    SemanticVad,
    ServerVad,
    SessionUpdate,
    encode,
)
from rtassist.sessions.notation import NotRead, read_terms, terms_body
from rtassist.settings import Secret, Settings
from rtassist.terms import SPARE_MS, terms_for


def terms(settings: Settings, *, voiced: bool = True, microphone: bool = True, **used: Any) -> Terms:
    return terms_for(
        settings,
        (),
        **used,
        voiced=voiced,
        microphone=microphone,
        microphone_ends=False,
        keyboard=True,
        greeting="",
    )


def audio_input(agreed: Terms) -> AudioInput:
    assert isinstance(agreed.session.audio, AudioConfig)
    assert isinstance(agreed.session.audio.input, AudioInput)
    return agreed.session.audio.input


def test_the_server_finds_the_turns_unless_the_user_does() -> None:
    spoken = terms(Settings())
    assert spoken.server_turns
    assert isinstance(audio_input(spoken).turn_detection, ServerVad)

    for settings in (Settings(ptt=True), Settings(vad="off")):
        pushed = terms(settings)
        assert not pushed.server_turns
        assert pushed.push_to_talk
        assert audio_input(pushed).turn_detection is None, "null turns it off; absent would keep the default"


def test_silence_behind_a_file_outlasts_what_ends_a_turn() -> None:
    for settings, silence_ms in (
        (Settings(), 500),
        (Settings(vad_silence_ms=0), 0),
        (Settings(vad_silence_ms=1200), 1200),
        (Settings(vad="semantic"), 8000),
    ):
        assert terms(settings).trailing_silence_ms == silence_ms + SPARE_MS
    assert isinstance(audio_input(terms(Settings(vad="semantic"))).turn_detection, SemanticVad)


def test_without_sound_the_session_is_written() -> None:
    typed = terms(Settings(), voiced=False, microphone=False)
    assert typed.session.output_modalities == ("text",)
    assert typed.session.audio is UNSET
    assert not typed.server_turns

    read = terms(Settings(), voiced=False)
    assert read.session.output_modalities == ("text",)
    assert read.server_turns


def test_what_is_not_set_is_not_sent() -> None:
    frame = encode(SessionUpdate(session=terms(Settings()).session))
    assert '"threshold"' not in frame
    assert '"language"' not in frame
    assert '"type":"realtime"' in frame


def test_the_voice_is_lowered_only_for_who_can_interrupt_it_by_speaking() -> None:
    assert terms(Settings()).ducks
    for settings in (Settings(duck=False), Settings(barge_in="off")):
        assert not terms(settings).ducks
    assert terms(Settings(barge_in="confirm")).ducks
    assert not terms(Settings(), voiced=False).ducks
    assert not terms(Settings(), microphone=False).ducks
    file = terms_for(
        Settings(), (), voiced=True, microphone=True, microphone_ends=True, keyboard=True, greeting=""
    )
    assert not file.ducks, "what is written to a file is not for anybody's ears yet"


def test_a_microphone_that_is_not_there_yet_is_awaited() -> None:
    for there in (True, False):
        agreed = terms_for(
            Settings(),
            (),
            voiced=True,
            microphone=True,
            microphone_there=there,
            microphone_ends=False,
            keyboard=True,
            greeting="",
        )
        assert (agreed.microphone, agreed.microphone_awaited) == (there, not there)
    assert not terms(Settings(), microphone=False).microphone_awaited


@pytest.mark.parametrize("vad", ["server", "semantic"])
def test_only_a_server_that_interrupts_also_answers_by_itself(vad: Literal["server", "semantic"]) -> None:
    for barge_in, by_itself in (("instant", True), ("confirm", False), ("off", False)):
        agreed = terms(Settings(vad=vad, barge_in=barge_in))  # type: ignore[arg-type]  # from the table
        detection = audio_input(agreed).turn_detection
        assert isinstance(detection, ServerVad | SemanticVad)
        assert (detection.create_response, detection.interrupt_response) == (by_itself, by_itself)
        assert (agreed.interrupts, agreed.barge_in) == (by_itself, barge_in)


KEYED = Settings(api_key=Secret("x"))


def test_prices_are_those_of_the_models_that_are_asked_for() -> None:
    agreed = terms(attrs.evolve(KEYED, model="gpt-realtime-mini-2025-12-15"))
    assert agreed.model == "gpt-realtime-mini-2025-12-15"
    assert agreed.price == price_of("gpt-realtime-mini")
    assert agreed.transcription_price == price_of("gpt-realtime-whisper")
    elsewhere = terms(attrs.evolve(KEYED, url="wss://h.example/v1?model=grok"))
    assert (elsewhere.model, elsewhere.price) == ("grok", None)


def test_a_price_of_ones_own_goes_over_the_lists_kind_by_kind() -> None:
    own = {"gpt-realtime-2.1": {"text_out": Decimal(1)}, "mine": {"text_in": Decimal(2)}}
    agreed = terms(attrs.evolve(KEYED, prices=own))
    assert agreed.price is not None
    assert (agreed.price.text_out, agreed.price.audio_in) == (Decimal(1), Decimal(32))
    mine = terms(attrs.evolve(KEYED, prices=own, model="mine")).price
    assert mine is not None
    assert (mine.text_in, mine.audio_in) == (Decimal(2), None)
    assert terms(Settings(prices=own)).price == agreed.price


def test_our_own_server_is_free_unless_it_asks_others() -> None:
    assert terms(Settings()).price == terms(Settings()).transcription_price == FREE
    assert terms(Settings(llm_url="http://h/v1")).price is None


def test_a_run_has_what_its_earlier_conversations_left_of_the_limits() -> None:
    limited = Settings(max_cost=0.5, max_minutes=1.5)
    first, later = terms(limited), terms(limited, spent_usd=Decimal("0.2"), lasted_ms=50_000)
    assert (first.max_cost_microusd, first.spent_microusd, first.max_length_ms) == (500_000, 0, 90_000)
    assert (later.max_cost_microusd, later.spent_microusd, later.max_length_ms) == (500_000, 200_000, 40_000)
    assert terms(limited, lasted_ms=95_000).max_length_ms == 1
    assert terms(Settings()).max_length_ms == terms(Settings()).max_cost_microusd == 0


def test_prices_are_the_same_behind_a_recording() -> None:
    agreed = terms(attrs.evolve(KEYED, prices={"gpt-realtime-2.1": {"minute": Decimal("0.0171")}}))
    begun = json.loads(b"{" + terms_body(agreed))["begin"]
    assert begun["terms"]["price"]["minute"] == "0.0171"
    assert read_terms(begun) == agreed
    for wrong in (7, {"text_in": "1"}, {"source": "x", "text_in": "much"}, {"source": "x", "gold": "1"}):
        begun["terms"] = {"price": wrong}
        with pytest.raises(NotRead, match="where a price should be"):
            read_terms(begun)


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        (None, UNSET),
        ("auto", "auto"),
        ("disabled", "disabled"),
        ("0.8", RetentionRatio(retention_ratio=0.8)),
    ],
)
def test_how_the_context_is_truncated_is_the_users(setting: str | None, sent: object) -> None:
    assert terms(Settings(truncation=setting)).session.truncation == sent
