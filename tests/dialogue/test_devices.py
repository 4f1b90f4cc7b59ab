"""Devices come and go: what is told, what is read, what is heard again."""

from rtassist.dialogue.effects import ClearAlarm, Quit, SetAlarm
from rtassist.dialogue.events import (
    MicBack,
    MicClips,
    MicLost,
    MicSilent,
    SpeakerBack,
    SpeakerLost,
    TalkPressed,
    TypingEnded,
    VoiceStarved,
)
from rtassist.dialogue.step import begin
from rtassist.dialogue.terms import Terms
from rtassist.protocol import Session
from tests.playbook import (
    Playbook,
    Says,
    after,
    append,
    audio,
    awaits,
    clear,
    created,
    done,
    ended,
    finish,
    heard,
    line,
    listening,
    play,
    session_created,
    session_updated,
    shows,
    speech_started,
    truncate,
    typed,
    update,
    words,
)

TEXT = Session(type="realtime", output_modalities=("text",))
AUDIO = Session(type="realtime", output_modalities=("audio",))
ALARMS = (SetAlarm, ClearAlarm)


def test_a_microphone_that_is_back_is_listened_to() -> None:
    assert (
        Playbook(after(listening(), heard(ms=300)), blind_to=ALARMS)
        >> MicLost("unplugged", may_return=True)
        << clear()
        << Says("The microphone is gone (unplugged). You can type.", "warning")
        >> heard(ms=20)
        >> MicBack("USB")
        << Says("The microphone is there: USB.", "info")
        >> heard(ms=20)
        << append(ms=20)
    )


def test_another_microphone_goes_on_in_the_middle_of_the_user_s_sentence() -> None:
    state = after(listening(), heard(ms=300), speech_started("U1"))
    assert (
        Playbook(state, blind_to=ALARMS)
        >> MicBack("USB", instead="unplugged")
        << Says("The microphone is now USB (unplugged).", "warning")
        >> heard(ms=20)
        << append(ms=20)
    )


def test_a_microphone_that_may_return_is_waited_for_without_a_keyboard() -> None:
    lost = after(listening(keyboard=False), MicLost("unplugged", may_return=True))
    assert not lost.over
    assert not after(listening(), MicLost("x", may_return=True), TypingEnded()).over
    assert after(lost, MicBack("USB"), MicLost("unplugged")).over, "now for good"


def test_a_pause_outlasts_the_microphone() -> None:
    state = after(listening(), typed("/pause"), MicLost("x", may_return=True), MicBack("USB"))
    assert Playbook(state) >> heard(ms=20) >> typed("/resume") >> heard(ms=20) << append(ms=20)


def test_a_held_key_is_up_when_the_microphone_is_back() -> None:
    state = listening(push_to_talk=True, server_turns=False)
    state = after(state, TalkPressed(), heard(ms=200), MicLost("x", may_return=True), MicBack("USB"))
    assert not state.talk_held
    assert Playbook(state) >> heard(ms=20) >> TalkPressed() << clear() >> heard(ms=20) << append(ms=20)


def test_a_loudspeaker_that_is_back_speaks_the_next_answer() -> None:
    assert (
        Playbook(after(listening(), created("R1"), audio("A1", ms=100)), blind_to=ALARMS)
        >> SpeakerLost("unplugged")
        << Says("The loudspeaker is gone (unplugged). Answers are written.", "warning")
        << update(TEXT)
        >> ended("A1", ms=40)
        >> SpeakerBack("USB")
        << Says("The loudspeaker is there: USB. Answers are spoken.", "info")
        << update(AUDIO)
        >> audio("A1", ms=100)
        >> done("R1")
        << line("A1", "")
        >> created("R2")
        >> audio("A2", ms=100)
        << awaits("A2", "assistant")
        << play("A2", ms=100)
        >> done("R2")
        << finish("A2")
    )


def test_an_answer_that_began_to_be_read_is_read_to_its_end() -> None:
    state = after(listening(), SpeakerLost("x"), created("R1"), words("A1", "one "), audio("A1", ms=100))
    assert (
        Playbook(after(state, SpeakerBack("USB")), blind_to=ALARMS)
        >> audio("A1", ms=100)
        >> words("A1", "two")
        << shows("A1", "two")
        >> done("R1")
        << line("A1", "one two")
    )


def test_another_loudspeaker_goes_on_in_the_middle_of_the_voice() -> None:
    assert (
        Playbook(after(listening(), created("R1"), audio("A1", ms=100)), blind_to=ALARMS)
        >> SpeakerBack("USB", instead="unplugged")
        << Says("The loudspeaker is now USB (unplugged).", "warning")
        >> audio("A1", ms=100)
        << play("A1", ms=100)
    )


def test_what_was_read_before_the_next_answer_began_is_not_cut() -> None:
    """The report of a voice that was lost may come after the next response has the floor."""
    state = after(
        listening(), created("R1"), audio("A1", ms=100), SpeakerLost("x"), done("R1"), created("R2")
    )
    assert Playbook(state, blind_to=ALARMS) >> ended("A1", ms=40)
    spoken_over = after(listening(), created("R1"), audio("A1", ms=100), speech_started("U1"))
    assert (
        Playbook(after(spoken_over, SpeakerLost("x")), blind_to=ALARMS)
        >> ended("A1", ms=40)
        << truncate("A1", ms=40)
        << line("A1", "", cut=True)
    )


def test_a_conversation_without_sound_picks_it_up() -> None:
    terms = Terms(session=TEXT, speaker=False, microphone=False)
    state = after(begin(terms), session_created(), session_updated())
    assert not state.voiced
    assert (
        Playbook(state, blind_to=ALARMS)
        >> heard(ms=20)
        >> MicBack("USB")
        << Says("The microphone is there: USB.", "info")
        >> SpeakerBack("USB")
        << Says("The loudspeaker is there: USB. Answers are spoken.", "info")
        << update(AUDIO)
        >> heard(ms=20)
        << append(ms=20)
    )


def test_where_nothing_is_ever_said_aloud_no_loudspeaker_is_missed() -> None:
    assert Playbook(listening(voiced=False)) >> SpeakerLost("x") >> SpeakerBack("USB")


def test_a_silent_microphone_is_told() -> None:
    told = Says("Your microphone is silent: muted? wrong device?", "warning")
    assert Playbook(listening(), blind_to=()) >> MicSilent() << told


def test_an_uneven_network_is_told_when_it_costs_more_than_was_told() -> None:
    def told(ms: int) -> Says:
        return Says(f"The network is uneven: the voice now starts {ms} ms later.", "warning")

    assert (
        Playbook(listening(), blind_to=())
        >> VoiceStarved("A1", missing_ms=70, waits_ms=80)
        << told(80)
        >> VoiceStarved("A1", missing_ms=10, waits_ms=80)
        >> VoiceStarved("A2", missing_ms=70, waits_ms=160)
        << told(160)
        >> VoiceStarved("A3", missing_ms=10, waits_ms=120)
    )


def test_a_microphone_that_clips_is_told() -> None:
    told = Says("Your microphone is too loud: it clips; turn its level down.", "warning")
    assert Playbook(listening(), blind_to=()) >> MicClips() << told


def test_a_microphone_that_was_never_there_keeps_nobody_waiting() -> None:
    awaited = listening(microphone=False, microphone_awaited=True)
    assert Playbook(awaited) >> TypingEnded() << Quit()
