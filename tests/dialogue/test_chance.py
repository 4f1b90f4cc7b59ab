"""Beyond the walk: longer conversations, more of everything, and events that make no sense at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtassist.dialogue import events, step
from rtassist.dialogue.commands import TABLE
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Quit
from rtassist.dialogue.events import AlarmRang, Event, PlaybackEnded, ToolEnded
from rtassist.dialogue.state import Conversation, Sound
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    UNSET,
    AssistantMessage,
    ConversationItemDone,
    McpApprovalRequest,
    McpListToolsFailed,
    Response,
    ResponseDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallInProgress,
    ResponseOutputItemAdded,
    Session,
    StatusDetails,
    StatusError,
)
from tests import playbook
from tests.dialogue.judge import judge
from tests.dialogue.world import Budget, event_of, moves, world
from tests.playbook import said

BUDGET = Budget(
    turns=4,
    stops=3,
    lines=3,
    timers=2,
    late=4,
    losses=2,
    muteness=1,
    unasked=3,
    refusals=2,
    waits=2,
    lags=2,
    onsets=4,
    words=1,
    rests=6,
    drops=2,
    breakdowns=2,
    failures=2,
    calls=2,
)
HELD = BUDGET._replace(turns=0, presses=4, onsets=0)


@pytest.mark.parametrize("mode", ["instant", "confirm", "off", "push to talk"])
@settings(max_examples=150)
@given(data=st.data(), chunk=st.sampled_from([1, 23, 24, 25, 92, 4800]))
def test_every_property_holds_in_long_conversations(mode: str, data: st.DataObject, chunk: int) -> None:
    push_to_talk, barge_in = mode == "push to talk", mode if mode in ("confirm", "off") else "instant"
    state = playbook.listening(
        push_to_talk=push_to_talk,
        server_turns=not push_to_talk,
        interrupts=mode == "instant",
        barge_in=barge_in,
        ducks=mode != "off",
        reconnects=True,
    )
    budget = HELD if push_to_talk else BUDGET._replace(onsets=0) if mode == "off" else BUDGET
    w = world(6, 3, 3, budget, barge_in, server_turns=not push_to_talk)._replace(chunk=chunk)
    for _ in range(data.draw(st.integers(1, 80), label="length")):
        possible = list(moves(w))
        if not possible:
            break
        move = data.draw(st.sampled_from(possible))
        state, effects = step.step(state, 0, event_of(w, move))
        w = judge(w, move, effects, state)


def approval(item: str) -> McpApprovalRequest:
    return McpApprovalRequest(id=item, server_label="files", name="remove", arguments="{}")


def ids(prefix: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{prefix}1", f"{prefix}2", f"{prefix}3"])


responses, items, users = ids("R"), st.sampled_from(["A1", "A1b", "A2", "A3"]), ids("U")
short = st.sampled_from(
    ["", "one", "one two.", " ", "Stop.", "goodbye", "mute", "mm-hm", "[coughs]", "y", "Yes.", "no"]
)
orders = st.sampled_from(TABLE)
rests = st.sampled_from(["", " off", " on", " server", " x.png what is it", " @x"])
samples = st.sampled_from([0, 1, 24, 500, 24_000])
calls = st.lists(ids("c").map(playbook.function_call), max_size=2)
codes = st.sampled_from(
    [None, "invalid_value", "conversation_already_has_active_response", "response_cancel_not_active"]
)
statuses = st.sampled_from(["completed", "cancelled", "failed", "incomplete", "odd", UNSET])
details = st.sampled_from(
    [
        *(UNSET, None, "plain words", StatusDetails(), StatusDetails(reason="max_output_tokens")),
        *(StatusDetails(error=StatusError(code=code)) for code in ("server_error", "rate_limit_exceeded")),
    ]
)

from_the_server: st.SearchStrategy[Event] = st.one_of(
    st.builds(playbook.session_created),
    st.just(playbook.session_created(expires_at=1_800_000_060)),
    st.builds(playbook.session_updated),
    st.builds(playbook.speech_started, users),
    st.builds(playbook.speech_stopped, users),
    st.builds(playbook.committed, users),
    st.builds(playbook.transcribing, users, short),
    st.builds(playbook.transcribed, users, short),
    st.builds(playbook.not_transcribed, users),
    st.builds(playbook.created, responses),
    st.builds(playbook.added, items, responses),
    st.builds(
        lambda response, role: said(
            ResponseOutputItemAdded(response_id=response, output_index=0, item=AssistantMessage(id=role))
        ),
        responses,
        st.sampled_from([UNSET, None, "A1"]),
    ),
    st.builds(
        lambda item, n, response: playbook.audio(item, samples=n, of=response), items, samples, responses
    ),
    st.builds(lambda item, pcm: playbook.audio(item, pcm=pcm), items, st.binary(max_size=5)),
    st.builds(playbook.audio_done, items),
    st.builds(playbook.words, items, short),
    st.builds(playbook.words_done, items, short),
    st.builds(playbook.text, items, short),
    st.builds(playbook.text_done, items, short),
    st.builds(
        lambda response, status, detail, output: said(
            ResponseDone(
                response=Response(id=response, status=status, status_details=detail, output=tuple(output))
            )
        ),
        responses,
        statuses,
        details,
        calls,
    ),
    st.builds(lambda code, number: playbook.error(code, event_id=f"rta_{number}"), codes, st.integers(0, 12)),
    st.builds(playbook.error, codes),
    st.builds(lambda item: said(ConversationItemDone(item=approval(item))), ids("q")),
    st.builds(lambda item: said(ResponseMcpCallInProgress(item_id=item, output_index=0)), ids("c")),
    st.builds(lambda item: said(ResponseMcpCallCompleted(item_id=item, output_index=0)), ids("c")),
    st.builds(lambda item: said(McpListToolsFailed(item_id=item)), ids("q")),
)
from_here: st.SearchStrategy[Event] = st.one_of(
    st.builds(events.MicHeard, samples.map(lambda n: bytes(2 * n))),
    st.just(events.MicEnded()),
    st.just(events.MicLost("unplugged")),
    st.just(events.SpeakerLost("unplugged")),
    st.just(events.MicLost("unplugged", may_return=True)),
    st.just(events.MicBack("USB")),
    st.just(events.SpeakerBack("USB")),
    st.just(events.SpeakerBack("USB", instead="unplugged")),
    st.just(events.MicSilent()),
    st.just(events.OnsetHeard()),
    st.just(events.MicClips()),
    st.builds(
        events.Typed,
        st.one_of(short, st.builds(lambda entry, rest: f"/{entry.command.value}{rest}", orders, rests)),
    ),
    st.just(events.TypingEnded()),
    st.just(events.Interrupted()),
    st.just(events.TalkPressed()),
    st.just(events.TalkReleased()),
    st.builds(events.PlaybackAdvanced, items, samples),
    st.builds(events.PlaybackEnded, items, samples),
    st.builds(events.ToolEnded, ids("c"), short),
    st.builds(events.TimerDue, short),
    st.builds(
        events.ErrandEnded,
        st.sampled_from(["image", "instructions", "resume-session", "devices"]),
        short,
        short,
        short,
    ),
    st.builds(
        events.AlarmRang,
        st.sampled_from(
            [
                "answer",
                "transcript",
                "settle",
                "begin",
                "duck",
                "question",
                "remote call",
                "unread",
                "nobody's",
            ]
        ),
    ),
    st.builds(events.UplinkDropped, samples),
    st.builds(events.UplinkLags, samples),
    st.builds(events.VoiceStarved, items, samples, samples),
    st.builds(events.FrameUnreadable, short),
    st.builds(events.LinkLost, st.just(1006), short, st.just(True), samples, st.integers(0, 999)),
    st.just(AlarmRang("redial")),
    st.just(AlarmRang("handover")),
    st.builds(events.LinkOpened, st.sampled_from([0, 1_800_000_000])),
    st.builds(events.DialFailed, short),
)
terms = st.builds(
    Terms,
    session=st.just(Session(type="realtime")),
    voiced=st.booleans(),
    server_turns=st.booleans(),
    interrupts=st.booleans(),
    barge_in=st.sampled_from(["instant", "confirm", "off"]),
    phrases=st.sampled_from([(), (("one", "quit"), ("stop", "mute"))]),
    language=st.sampled_from(["en", "de", ""]),
    ducks=st.booleans(),
    transcribes=st.booleans(),
    push_to_talk=st.booleans(),
    microphone=st.booleans(),
    microphone_ends=st.booleans(),
    keyboard=st.booleans(),
    asks=st.sampled_from([(), ("look_up",)]),
    cancels=st.sampled_from([(), ("look_up",)]),
    shows_calls=st.booleans(),
    reconnects=st.booleans(),
)


# Lists are short if left to themselves.
happenings = st.integers(0, 60).flatmap(
    lambda length: st.lists(st.one_of(from_the_server, from_here), min_size=length, max_size=length)
)


@settings(max_examples=400)
@given(terms, happenings)
def test_nothing_that_happens_is_too_much(terms: Terms, happened: list[Event]) -> None:
    """Any events in any order: none is a bug, and after them the conversation can come to its end."""
    state = step.begin(terms)
    for event in (playbook.session_created(), playbook.session_updated(), *happened):
        before = repr(state)
        after, effects = step.step(state, 0, event)
        assert repr(state) == before
        assert after.over is (state.over or any(isinstance(effect, Quit) for effect in effects))
        state = after
    for _ in range(4):
        for event in outstanding(state):
            state, _ = step.step(state, 0, event)
    assert state.over or (state.quiet() and not state.utterances and not state.answers and not state.lowered)


@settings(max_examples=150)
@given(terms, happenings)
def test_what_comes_many_times_a_second_means_nothing_to_a_chunk_of_the_microphone(
    terms: Terms, happened: list[Event]
) -> None:
    """In whichever order they come: a recording keeps theirs, and that of the chunks, and not both."""
    state = step.begin(terms)
    chunk = events.MicHeard(bytes(960))
    for event in (playbook.session_created(), playbook.session_updated(), *happened):
        if step.is_frequent(event) and not isinstance(event, events.MicHeard):
            then, asked = step.step(state, 0, event)
            after, sent = step.step(then, 0, chunk)
            before, sent_before = step.step(state, 0, chunk)
            assert (after, asked) == step.step(before, 0, event)
            assert sent == sent_before
        state, _ = step.step(state, 0, event)


@settings(max_examples=150)
@given(terms, happenings)
def test_what_changes_nothing_leaves_nothing_to_be_done(terms: Terms, happened: list[Event]) -> None:
    """What is asked after an event has been asked about this state before: `step` leaves it out."""
    state = step.begin(terms)
    for event in (playbook.session_created(), playbook.session_updated(), *happened):
        state, _ = step.step(state, 0, event)
        if not state.over:
            do = Draft(state, 0)
            step.close(do)
            assert (do.state, do.effects) == (state, [])


def linked(state: Conversation) -> list[Event]:
    """The next session, where one is waited for."""
    if not state.between:
        return []
    return [
        AlarmRang("redial"),
        events.LinkOpened(0),
        playbook.session_created(),
        playbook.session_updated(),
    ]


def outstanding(state: Conversation) -> list[Event]:
    """What comes if everybody does what is waited for, or the alarm rings."""
    return [
        *linked(state),
        *(playbook.speech_stopped(item) for item in [state.user_item] if item),
        *(events.TalkReleased() for _ in range(state.talk_held)),
        *(playbook.done(answer.id) for answer in state.answers.values() if not answer.done),
        *(
            PlaybackEnded(utterance.item_id, utterance.handed)
            for utterance in state.utterances.values()
            if utterance.sound in (Sound.SOUNDING, Sound.HUSHED)
        ),
        *(ToolEnded(call_id, "done") for call_id in state.calls),
        *(events.ErrandEnded("save", "", "saved") for _ in range(state.errands)),
        *(playbook.committed(item_id) for item_id in state.own_turns),
        *(AlarmRang("question") for _ in state.questions),
        AlarmRang("remote call"),
        AlarmRang("unread"),
        AlarmRang("answer"),
        AlarmRang("limit"),
        AlarmRang("transcript"),
        AlarmRang("duck"),
    ]
