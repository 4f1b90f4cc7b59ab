"""What settings and devices mean for the session."""

from typing import Literal

import pytest

from rtassist.dialogue.state import Terms
from rtassist.protocol import UNSET, AudioConfig, AudioInput, SemanticVad, ServerVad, SessionUpdate, encode
from rtassist.settings import Settings
from rtassist.terms import SPARE_MS, terms_for


def terms(settings: Settings, *, voiced: bool = True, microphone: bool = True) -> Terms:
    return terms_for(
        settings,
        (),
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
