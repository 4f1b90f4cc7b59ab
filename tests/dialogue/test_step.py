"""One event in, the next state and the effects out."""

from typing import get_args

import attrs
import pytest

from rtassist.dialogue import events
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import ClearAlarm, Notice, Outcome, Quit, Send, SetAlarm, Show
from rtassist.dialogue.events import (
    AlarmRang,
    FrameUnreadable,
    Interrupted,
    LinkLost,
    ServerSaid,
    Typed,
)
from rtassist.dialogue.state import Conversation
from rtassist.dialogue.step import LOCAL_RULES, MIC_FIELDS, SERVER_RULES, begin, lawful, step
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    UNSET,
    BadFrame,
    ConversationItemCreate,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemTruncate,
    FunctionCall,
    FunctionCallOutput,
    InputAudioBufferAppend,
    InputAudioBufferCommit,
    Response,
    ResponseCreate,
    ResponseCreated,
    ResponseOutputItemAdded,
    ServerEvent,
    Session,
    Unknown,
    UserMessage,
    decode,
)
from tests.playbook import (
    Playbook,
    Says,
    after,
    append,
    audio,
    awaits,
    create,
    created,
    ended,
    finish,
    hush,
    listening,
    play,
    said,
    shows,
    speech_started,
    truncate,
)

ALARMS = (SetAlarm, ClearAlarm)


def from_wire(frame: str) -> ServerSaid:
    event = decode(frame)
    assert not isinstance(event, Unknown)
    return ServerSaid(event, frame)


def test_every_local_event_has_a_rule_and_every_rule_an_event() -> None:
    assert set(LOCAL_RULES) == set(get_args(events.LocalEvent))
    assert set(SERVER_RULES) < set(get_args(ServerEvent))


def test_the_same_event_is_decided_in_the_same_way() -> None:
    state = after(listening(), created("R1"), audio("A1", ms=100))
    assert step(state, 5, speech_started("U1")) == step(state, 5, speech_started("U1"))


def test_a_decision_leaves_what_it_was_given_as_it_was() -> None:
    state = after(listening(), created("R1"), audio("A1", ms=100))
    answers, utterances = dict(state.answers), dict(state.utterances)

    changed, _ = step(state, 5, Typed("hello"))

    assert changed.answers != answers
    assert (dict(state.answers), dict(state.utterances)) == (answers, utterances)


def test_events_that_mean_nothing_here_change_nothing() -> None:
    state = listening()
    unknown = Unknown(type="conversation.mood.changed", fields={"type": "conversation.mood.changed"})
    limits = from_wire('{"type":"rate_limits.updated","event_id":"e","rate_limits":[]}')
    for event in (ServerSaid(unknown), limits, AlarmRang("nobody's")):
        assert step(state, 0, event) == (state, ())


@pytest.mark.parametrize(
    "event",
    [
        ResponseCreated(response=Response(id=UNSET)),
        ResponseOutputItemAdded(response_id="R1", output_index=0, item=UserMessage(id="U1")),
        ResponseOutputItemAdded(response_id="R1", output_index=0, item=FunctionCall(name="f")),
        ConversationItemInputAudioTranscriptionDelta(item_id="U1", delta=None),
    ],
)
def test_events_without_what_they_are_about_change_nothing(event: ServerEvent) -> None:
    state = after(listening(), created("R1"))
    assert step(state, 0, said(event)) == (state, ())


def test_after_the_end_nothing_means_anything() -> None:
    over, _ = step(listening(), 0, Typed("/quit"))
    for event in (Interrupted(), Typed("hello"), created("R1"), LinkLost(1006, "gone")):
        assert step(over, 0, event) == (over, ())


def test_a_lost_link_ends_the_conversation() -> None:
    assert (
        Playbook(listening())
        >> LinkLost(1006, "The network is gone.")
        << Quit(Outcome.LINK_LOST, "The network is gone.")
    )


def test_an_unreadable_frame_is_a_note() -> None:
    assert (
        Playbook(listening(), blind_to=ALARMS)
        >> FrameUnreadable("no JSON")
        << Says("no Realtime event: no JSON", "debug")
    )


def test_what_a_message_of_the_server_is_to_the_conversation() -> None:
    bad = BadFrame(path="type", reason="is missing")
    assert events.received("{}", bad) == FrameUnreadable(str(bad), "{}")
    unknown = Unknown(type="x", fields={"type": "x"})
    assert events.received("...", unknown) == ServerSaid(unknown, "...")


def test_only_microphone_audio_counts_as_samples_to_send() -> None:
    assert append(ms=20).samples == 480
    assert create().samples == 0


@pytest.mark.parametrize("prefix", ["response.output_audio", "response.audio"])
def test_the_names_of_the_beta_mean_the_same(prefix: str) -> None:
    place = '"event_id":"e","response_id":"R1","item_id":"A1","output_index":0,"content_index":0'
    assert (
        Playbook(after(listening(), created("R1")), blind_to=ALARMS)
        >> from_wire(f'{{"type":"{prefix}.delta",{place},"delta":"AAAAAA=="}}')
        << awaits("A1", "assistant")
        << play("A1", samples=2)
        >> from_wire(f'{{"type":"{prefix}_transcript.delta",{place},"delta":"one two"}}')
        >> from_wire(f'{{"type":"{prefix}_transcript.done",{place},"transcript":"one two"}}')
        >> from_wire(f'{{"type":"{prefix}.done",{place}}}')
        << finish("A1")
        >> events.PlaybackAdvanced("A1", 1)
        << shows("A1", "one")
    )


def test_a_playbook_says_where_and_how_it_differs() -> None:
    book = (
        Playbook(listening())
        >> created("R1")
        >> audio("A1", ms=200)
        << play("A1", ms=100)
        >> speech_started("U1")
        << hush("A1")
    )
    with pytest.raises(AssertionError) as caught:
        bool(book)
    assert str(caught.value).splitlines()[-3:] == [
        "  - << Play('A1', 100 ms)",
        "  + << Play('A1', 200 ms)",
        "    step 2: '-' was to be done, '+' was done",
    ]


def test_a_playbook_misses_what_was_not_named() -> None:
    state = after(listening(), created("R1"), audio("A1", ms=200), speech_started("U1"))
    with pytest.raises(AssertionError):
        bool(Playbook(state) >> ended("A1", ms=100))
    with pytest.raises(AssertionError):
        bool(Playbook(state) >> ended("A1", ms=100) << truncate("A1", ms=99))
    assert Playbook(state) >> ended("A1", ms=100) << truncate("A1", ms=100)


def test_what_the_protocol_forbids_is_told_and_not_sent() -> None:
    state = begin(Terms(session=Session(type="realtime")))
    for event in (
        ConversationItemTruncate(item_id="A1", content_index=0, audio_end_ms=10),
        InputAudioBufferCommit(),
        ConversationItemCreate(item=FunctionCallOutput(call_id="no such call!", output="")),
    ):
        (told,) = [lawful(Send(event), state, state)]
        assert isinstance(told, Show)
        assert isinstance(told.what, Notice)
        assert event.type in told.what.text

    lawful_ones = (Send(InputAudioBufferAppend(audio=bytes(960))), Send(ResponseCreate()), Quit())
    assert [lawful(effect, state, state) for effect in lawful_ones] == list(lawful_ones)


def test_what_decides_about_a_chunk_of_the_microphone_is_listed() -> None:
    """A replay leaves out the chunks between which nothing of the list has changed."""
    read = set()

    class Watched(Conversation):
        def __getattribute__(self, name: str) -> object:
            read.add(name)
            return super().__getattribute__(name)

    fields = [field.name for field in attrs.fields(Conversation)]
    for state in (
        listening(),
        after(listening(), events.MicHeard(bytes(4800))),
        after(listening(push_to_talk=True, server_turns=False), events.TalkPressed()),
        after(listening(), Typed("/pause")),
        after(listening(), Typed("/mute")),
        after(listening(), events.MicLost("gone")),
        after(listening(), created("R1"), audio("A1", ms=100), speech_started("U1")),
        begin(Terms(session=Session(type="realtime"))),
    ):
        step(Watched(**{name: getattr(state, name) for name in fields}), 0, events.MicHeard(bytes(960)))
    assert read & set(fields) <= set(MIC_FIELDS)
    assert set(MIC_FIELDS) <= read


def test_a_change_of_what_there_is_not_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="Conversation has no holder_of_the_floor"):
        Draft(listening(), 0).change(holder_of_the_floor="R1")
