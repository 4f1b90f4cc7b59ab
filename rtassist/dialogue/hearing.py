"""What the server hears of the user: speech, its end, and the words of it."""

from __future__ import annotations

from rtassist.dialogue import asking, barge_in, budget, commands, floor, obeying, questions, session, turns
from rtassist.dialogue.doing import microphone_on
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Notice, Show
from rtassist.dialogue.floor import Taker
from rtassist.protocol import (
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    InputAudioBufferCleared,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
)


def speech_started(do: Draft, event: InputAudioBufferSpeechStarted) -> None:
    if do.state.terms.interrupts:
        floor.take(do, Taker.USER_SPOKE)
    if microphone_on(do.state):
        turns.user_began(do, event.item_id, _start_ms(do, event.audio_start_ms))
        barge_in.started(do, event.item_id)


def _start_ms(do: Draft, told_ms: int) -> int | None:
    """In all audio of the session, as OpenAI's reference has it. A server that counts otherwise, or not at
    all, is known by a turn that begins at nothing, or before the end of the last one.
    """
    return told_ms if told_ms > 0 and told_ms >= do.state.heard_ms else None


def speech_stopped(do: Draft, event: InputAudioBufferSpeechStopped) -> None:
    do.change(user_item=None, heard_ms=max(do.state.heard_ms, event.audio_end_ms))
    turns.user_ended(do, event.item_id)
    if do.state.terms.asks_itself:
        barge_in.stopped(do)
    else:
        asking.answer_due(do)


def committed(do: Draft, event: InputAudioBufferCommitted) -> None:
    turns.user_ended(do, event.item_id)
    barge_in.committed(do, event.item_id)


def cleared(do: Draft, event: InputAudioBufferCleared) -> None:
    """What the server was hearing is gone, and it will not tell the end of it. That it had begun may be known
    only since then: the two crossed on their way.
    """
    barge_in.broke_off(do)


def transcript_delta(do: Draft, event: ConversationItemInputAudioTranscriptionDelta) -> None:
    if isinstance(event.delta, str):
        floor.user_words(do, event.item_id, event.delta)
        turns.user_words(do, event.item_id, event.delta)
        barge_in.words(do, event.item_id)


def transcript_completed(do: Draft, event: ConversationItemInputAudioTranscriptionCompleted) -> None:
    if event.extras.get("status") == "in_progress":  # xAI tells a growing transcript so, several times
        return
    session.used(do, budget.after_transcription(do.state, event))
    text = event.transcript.strip()
    command = commands.phrase(text, do.state.terms)
    allows = questions.spoken_answer(do.state, event.item_id, text) is not None
    for_the_model = command in commands.ANSWERED and not allows
    meant = barge_in.transcribed(do, event.item_id, text, answered=for_the_model)
    turns.user_line_ended(do, event.item_id, text, meant=meant)
    if questions.spoken(do, event.item_id, text):
        return
    if command is not None:
        obeying.obey_phrase(do, command)


def transcript_failed(do: Draft, event: ConversationItemInputAudioTranscriptionFailed) -> None:
    turns.user_line_ended(do, event.item_id, "")
    barge_in.not_transcribed(do, event.item_id)
    reason = event.error.message if isinstance(event.error.message, str) else "no reason was given"
    do.ask(Show(Notice(f"What you said could not be written down: {reason}", "warning")))
