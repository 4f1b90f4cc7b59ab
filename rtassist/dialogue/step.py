"""One event in, the next state and the effects out: the only place where a conversation is decided.

`step` reads no clock, draws no random number, waits for nothing and changes nothing that it was given. The
table at the end names the rule for each event; everything else is in the file that is named after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from rtassist.dialogue import (
    alarms,
    asking,
    budget,
    calls,
    devices,
    duck,
    errands,
    events,
    floor,
    hearing,
    keys,
    limits,
    link,
    obeying,
    questions,
    refusals,
    remote,
    session,
    shortfall,
    turns,
    unread,
)
from rtassist.dialogue.doing import microphone_on
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import (
    Effect,
    Notice,
    Quit,
    Send,
    Show,
)
from rtassist.dialogue.state import SAMPLES_PER_MS, Conversation, Ending, Purpose, Sound
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    UNSET,
    AssistantMessage,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ErrorEvent,
    InputAudioBufferAppend,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    McpListToolsFailed,
    RateLimitsUpdated,
    ResponseCreated,
    ResponseDone,
    ResponseMcpCallCompleted,
    ResponseMcpCallFailed,
    ResponseMcpCallInProgress,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    SessionCreated,
    SessionUpdated,
    laws,
)


def begin(terms: Terms) -> Conversation:
    """The state before anything has happened."""
    return Conversation(
        terms=terms,
        voiced=terms.voiced and terms.speaker,
        microphone=terms.microphone,
        keyboard=terms.keyboard,
        server_turns=terms.server_turns,
        push_to_talk=terms.push_to_talk,
    )


def step(state: Conversation, now_us: int, event: events.Event) -> tuple[Conversation, tuple[Effect, ...]]:
    """Decide what an event means. After `Quit` nothing means anything any more."""
    if state.over:
        return state, ()
    do = Draft(state, now_us)
    kind: type = type(event)
    if isinstance(event, events.ServerSaid):
        kind = type(event.event)
        rule = SERVER_RULES.get(kind)
        if rule is not None:
            rule(do, event.event)
    else:
        LOCAL_RULES[kind](do, event)
    if kind in FREQUENT:
        return do.state, tuple(do.effects)
    if do.state is not state:  # or this has been done about it already: 2 % of a replay
        close(do)
    link.hand_over_when_quiet(do)
    if do.state.between:
        do.effects = [effect for effect in do.effects if link.may_pass(effect)]
    do.effects = [lawful(effect, state, do.state, do.given_ids) for effect in do.effects]
    return _leave_at_quit(do)


def close(do: Draft) -> None:
    """What an event may leave to be done, by the state alone."""
    questions.ask_next(do)
    session.prove_read(do)
    asking.ask_when_allowed(do)
    turns.forget(do)
    session.conclude(do)


def lawful(
    effect: Effect, before: Conversation, after: Conversation, given_ids: Sequence[str] = ()
) -> Effect:
    """The effect, or a notice in place of an event that the protocol forbids to send.

    The rules above ask for nothing unlawful; a mistake in them is to cost an event and not the conversation.
    `given_ids` came with what is being decided: the server's own may look as they like.
    """
    if not isinstance(effect, Send) or effect.samples:
        return effect
    utterances = (*before.utterances.values(), *after.utterances.values())
    refusal = laws.check(
        effect.event,
        arrived_ms={u.item_id: u.arrived // SAMPLES_PER_MS for u in utterances},
        buffered_ms=before.uncommitted / SAMPLES_PER_MS,
        given_ids=(*before.calls, *given_ids),
    )
    if refusal is None:
        return effect
    where = f"{effect.event.type} {refusal.path}".strip()
    return Show(Notice(f"Not sent, for the server would refuse it: {where} {refusal.reason}.", "warning"))


def _leave_at_quit(do: Draft) -> tuple[Conversation, tuple[Effect, ...]]:
    """`Quit` is the last effect of a conversation, and there is one of it."""
    if not do.effects:
        return do.state, ()
    for index, effect in enumerate(do.effects):
        if isinstance(effect, Quit):
            do.change(over=True)
            return do.state, tuple(do.effects[: index + 1])
    return do.state, tuple(do.effects)


def _session_created(do: Draft, event: SessionCreated) -> None:
    link.created(do, event)


def _session_updated(do: Draft, event: SessionUpdated) -> None:
    if session.updated(do) is Purpose.BEGIN:
        link.stands(do)


def _response_created(do: Draft, event: ResponseCreated) -> None:
    if isinstance(event.response.id, str):
        floor.created(do, event.response.id)
        asking.answer_began(do)


def _output_item_added(do: Draft, event: ResponseOutputItemAdded) -> None:
    if isinstance(event.item, AssistantMessage) and isinstance(event.item.id, str):
        turns.assistant_line_began(do, event.item.id, event.response_id)


def _audio_delta(do: Draft, event: ResponseOutputAudioDelta) -> None:
    turns.assistant_line_began(do, event.item_id, event.response_id)
    floor.audio(do, event)


def _audio_done(do: Draft, event: ResponseOutputAudioDone) -> None:
    floor.audio_done(do, event.item_id)


def _words_delta(do: Draft, event: ResponseOutputAudioTranscriptDelta) -> None:
    turns.assistant_line_began(do, event.item_id, event.response_id)
    turns.assistant_words(do, event.item_id, event.delta)


def _words_done(do: Draft, event: ResponseOutputAudioTranscriptDone) -> None:
    turns.assistant_words_done(do, event.item_id, event.transcript)


def _text_delta(do: Draft, event: ResponseOutputTextDelta) -> None:
    turns.assistant_line_began(do, event.item_id, event.response_id)
    turns.assistant_wrote(do, event.item_id, event.delta)


def _text_done(do: Draft, event: ResponseOutputTextDone) -> None:
    turns.assistant_words_done(do, event.item_id, event.text)


def _response_done(do: Draft, event: ResponseDone) -> None:
    response = event.response
    if not isinstance(response.id, str):
        return
    answer = do.state.answers.get(response.id)
    if answer is None or not answer.done:
        refusals.response_failed(do, response)
        session.used(do, budget.after_response(do.state, event))
    if answer is None or answer.done:
        return
    limits.used(do, response)
    if response.status in ("completed", UNSET):
        do.change(told=())
        asking.ask_anew(do)
    floor.done(do, response.id)
    for utterance in do.state.utterances.values():
        if utterance.response_id == response.id:
            turns.end_line_when_over(do, utterance.item_id)
    calls.asked(do, response)
    remote.response_done(do, response)


def _mic_heard(do: Draft, event: events.MicHeard) -> None:
    state = do.state
    if state.ending is Ending.TRAILING:
        session.trail(do, event.samples)
    elif not microphone_on(state):
        return
    uncommitted = min(do.state.uncommitted + event.samples, keys.SHORTEST_COMMIT_SAMPLES)
    if uncommitted != do.state.uncommitted:  # it comes fifty times a second, and mostly changes nothing
        do.change(uncommitted=uncommitted)
    do.ask(Send(InputAudioBufferAppend(audio=event.pcm)))


def _onset_heard(do: Draft, event: events.OnsetHeard) -> None:
    if microphone_on(do.state):
        duck.onset(do)


def _mic_ended(do: Draft, event: events.MicEnded) -> None:
    if do.state.server_turns:
        do.change(ending=Ending.TRAILING)
    else:
        keys.talk_released(do, event)
        do.change(microphone=False)
        session.end_when_quiet(do)


def _playback_ended(do: Draft, event: events.PlaybackEnded) -> None:
    budget.announced(do, event.item_id)
    floor.ended(do, event.item_id, event.heard)
    utterance = do.state.utterances.get(event.item_id)
    if utterance is not None and utterance.sound is Sound.ENDED:
        turns.show_heard(do, event.item_id)
        turns.end_line_when_over(do, event.item_id)


def _frame_unreadable(do: Draft, event: events.FrameUnreadable) -> None:
    do.ask(Show(Notice(f"The server sent something that is no Realtime event: {event.reason}", "debug")))


Rule = Callable[[Draft, Any], None]

SERVER_RULES: dict[type, Rule] = {
    SessionCreated: _session_created,
    SessionUpdated: _session_updated,
    ErrorEvent: refusals.error,
    InputAudioBufferSpeechStarted: hearing.speech_started,
    InputAudioBufferSpeechStopped: hearing.speech_stopped,
    InputAudioBufferCommitted: hearing.committed,
    InputAudioBufferCleared: hearing.cleared,
    ConversationItemInputAudioTranscriptionDelta: hearing.transcript_delta,
    ConversationItemInputAudioTranscriptionCompleted: hearing.transcript_completed,
    ConversationItemInputAudioTranscriptionFailed: hearing.transcript_failed,
    ResponseCreated: _response_created,
    ResponseOutputItemAdded: _output_item_added,
    ResponseOutputAudioDelta: _audio_delta,
    ResponseOutputAudioDone: _audio_done,
    ResponseOutputAudioTranscriptDelta: _words_delta,
    ResponseOutputAudioTranscriptDone: _words_done,
    ResponseOutputTextDelta: _text_delta,
    ResponseOutputTextDone: _text_done,
    ResponseDone: _response_done,
    ConversationItemDone: lambda do, event: remote.item_done(do, event.item),
    ResponseOutputItemDone: lambda do, event: remote.item_done(do, event.item),
    ResponseMcpCallInProgress: lambda do, event: remote.call_began(do, event.item_id),
    ResponseMcpCallCompleted: lambda do, event: remote.call_ended(do, event.item_id),
    ResponseMcpCallFailed: lambda do, event: remote.call_ended(do, event.item_id),
    McpListToolsFailed: lambda do, event: remote.listing_failed(do),
    RateLimitsUpdated: limits.updated,
}
"""What the server says that changes something here. All else it says is only recorded."""

LOCAL_RULES: dict[type, Rule] = {
    events.MicHeard: _mic_heard,
    events.MicEnded: _mic_ended,
    events.MicLost: devices.mic_lost,
    events.MicBack: devices.mic_back,
    events.OnsetHeard: _onset_heard,
    events.MicSilent: devices.mic_silent,
    events.MicClips: devices.mic_clips,
    events.SpeakerLost: devices.speaker_lost,
    events.SpeakerBack: devices.speaker_back,
    events.Typed: keys.typed,
    events.TypingEnded: keys.typing_ended,
    events.Interrupted: lambda do, event: obeying.interrupt(do),
    events.TalkPressed: keys.talk_pressed,
    events.TalkReleased: keys.talk_released,
    events.PlaybackAdvanced: lambda do, event: turns.heard_so_far(do, event.item_id, event.heard),
    events.PlaybackEnded: _playback_ended,
    events.VoiceStarved: devices.voice_starved,
    events.ToolEnded: lambda do, event: calls.ended(do, event.call_id, event.output),
    events.ErrandEnded: errands.ended,
    events.TimerDue: lambda do, event: calls.timer_due(do, event.label),
    events.AlarmRang: alarms.rang,
    events.LinkLost: link.lost,
    events.LinkOpened: link.opened,
    events.DialFailed: link.dial_failed,
    events.UplinkDropped: shortfall.dropped,
    events.UplinkLags: unread.lags,
    events.FrameUnreadable: _frame_unreadable,
}

MIC_FIELDS = (
    *("over", "ready", "link", "microphone", "server_turns", "paused", "muted"),
    *("talk_held", "ending", "uncommitted"),
)
MIC_READS = attrgetter(*MIC_FIELDS)
"""All of a state that decides what a chunk of the microphone means: where these are the same and the chunk
changes nothing, so is what it means. Most of a recording are such chunks."""

FREQUENT = frozenset(
    {
        *(events.MicHeard, events.PlaybackAdvanced),
        *(ResponseOutputAudioDelta, ResponseOutputAudioTranscriptDelta),
    }
)
"""They come many times a second and can neither end a turn nor the conversation, nor do they mean anything
to a chunk of the microphone, or it to them."""


def is_frequent(event: events.Event) -> bool:
    return (type(event.event) if isinstance(event, events.ServerSaid) else type(event)) in FREQUENT
