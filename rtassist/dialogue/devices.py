"""Microphone and loudspeaker that come and go: what the conversation does without, and with them again."""

from __future__ import annotations

from rtassist.dialogue import events, obeying, session, turns
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Notice, Show
from rtassist.dialogue.state import Purpose
from rtassist.protocol import Session


def mic_lost(do: Draft, event: events.MicLost) -> None:
    obeying.drop_half_turn(do)
    do.change(microphone=False, microphone_awaited=event.may_return)
    advice = " You can type." if do.state.keyboard else ""
    do.ask(Show(Notice(f"The microphone is gone ({event.reason}).{advice}", "warning")))
    session.nobody_left(do)


def mic_back(do: Draft, event: events.MicBack) -> None:
    """A loss has dropped the half turn. A microphone that takes over at once goes on with it: only a fraction
    of a second is missing, and the words before it need not be said again."""
    if event.instead:
        do.ask(Show(Notice(f"The microphone is now {event.name} ({event.instead}).", "warning")))
        return
    do.change(microphone=True, microphone_awaited=False)
    do.ask(Show(Notice(f"The microphone is there: {event.name}.")))


def mic_silent(do: Draft, event: events.MicSilent) -> None:
    do.ask(Show(Notice("Your microphone is silent: muted? wrong device?", "warning")))


def mic_clips(do: Draft, event: events.MicClips) -> None:
    do.ask(Show(Notice("Your microphone is too loud: it clips; turn its level down.", "warning")))


def speaker_lost(do: Draft, event: events.SpeakerLost) -> None:
    if not do.state.terms.voiced:
        return
    do.change(voiced=False)
    do.ask(Show(Notice(f"The loudspeaker is gone ({event.reason}). Answers are written.", "warning")))
    session.update(do, Session(type="realtime", output_modalities=("text",)), Purpose.READ_ONLY)
    for item_id in do.state.utterances:
        turns.show_heard(do, item_id)
        turns.end_line_when_over(do, item_id)


def voice_starved(do: Draft, event: events.VoiceStarved) -> None:
    if event.waits_ms > do.state.told_wait_ms:
        do.change(told_wait_ms=event.waits_ms)
        text = f"The network is uneven: the voice now starts {event.waits_ms} ms later."
        do.ask(Show(Notice(text, "warning")))


def speaker_back(do: Draft, event: events.SpeakerBack) -> None:
    if event.instead:
        do.ask(Show(Notice(f"The loudspeaker is now {event.name} ({event.instead}).", "warning")))
        return
    if not do.state.terms.voiced:
        return
    turns.read_to_the_end(do)
    do.change(voiced=True)
    do.ask(Show(Notice(f"The loudspeaker is there: {event.name}. Answers are spoken.")))
    session.update(do, Session(type="realtime", output_modalities=("audio",)), Purpose.ALOUD)
