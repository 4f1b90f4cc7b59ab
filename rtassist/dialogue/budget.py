"""What a conversation may cost: counted as it goes, told, and held.

The server answers spoken turns by itself (`create_response`). As soon as the budget is spent it is told not
to, so that from then on an answer is asked for by us or not at all; one that crosses with that on the wire is
cancelled at its beginning. This way no answer before the end of the budget waits for a round trip more. What
was asked for before is not taken back: the last answer may pass the budget.

A refusal costs nothing: it is spoken by a voice of our own (`Announce`), and the microphone goes off, for
being heard and written down costs as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from rtassist.dialogue import present
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.effects import Announce, Notice, Show
from rtassist.dialogue.spending import MICRO, Spending, budget, dollars, lines
from rtassist.dialogue.state import Conversation
from rtassist.protocol import (
    AudioConfig,
    AudioInput,
    ConversationItemInputAudioTranscriptionCompleted,
    ResponseDone,
    SemanticVad,
    ServerVad,
    Session,
    Usage,
)


def after_response(state: Conversation, event: ResponseDone) -> Spending:
    usage = event.response.usage
    if not isinstance(usage, Usage) or not (usage.input_tokens or usage.output_tokens):
        return state.spending
    return state.spending.response(usage, state.terms.price)


def after_transcription(
    state: Conversation, event: ConversationItemInputAudioTranscriptionCompleted
) -> Spending:
    if not event.usage:
        return state.spending
    return state.spending.transcription(event.usage, state.terms.transcription_price)


def is_spent(state: Conversation) -> bool:
    """The budget is; there may be none."""
    most = state.terms.max_cost_microusd
    return bool(most) and state.terms.spent_microusd + state.spending.usd * MICRO >= most


def told(state: Conversation) -> Iterator[str]:
    """What was used until now, for a person."""
    terms = state.terms
    yield from lines(state.spending, terms.price, terms.model)
    before = Decimal(terms.spent_microusd) / MICRO
    if before:
        yield f"{dollars(before)} before this conversation began."
    if terms.max_cost_microusd:
        most = Decimal(terms.max_cost_microusd) / MICRO
        left = max(most - before - state.spending.usd, Decimal(0))
        yield f"{dollars(left)} of {budget(most)} are left (--max-cost)."


def answering_nothing(state: Conversation) -> Session | None:
    """The update that keeps the server from answering by itself; None where it does not anyway."""
    detection = present.detection(state, present.vad_asked_for(state) or "off")
    if not isinstance(detection, ServerVad | SemanticVad) or detection.create_response is False:
        return None
    detection = attrs.evolve(detection, create_response=False)
    return Session(type="realtime", audio=AudioConfig(input=AudioInput(turn_detection=detection)))


def refuse(do: Draft) -> None:
    """No further answer is asked for, and the user hears why."""
    terms = do.state.terms
    spent = Decimal(terms.spent_microusd) / MICRO + do.state.spending.usd
    most = budget(Decimal(terms.max_cost_microusd) / MICRO)
    deaf = do.state.microphone and not do.state.muted
    do.change(wanted=False, say="", muted=do.state.muted or deaf)
    off = " The microphone is off: to be heard costs as well." if deaf else ""
    tell(
        do,
        f"The budget of {most} is spent ({dollars(spent)}): this is not answered.{off} "
        "Start again with a higher --max-cost to go on.",
        "The budget is spent, so I cannot answer that.",
    )


def tell(do: Draft, written: str, spoken: str) -> None:
    """Show it, and say it where answers are heard: after what sounds now, and without the server."""
    do.ask(Show(Notice(written, "warning")))
    if do.state.voiced and do.state.announcement is None:
        item_id = do.next_event_id()
        do.change(announcement=item_id)
        do.ask(Announce(item_id, spoken))


def announced(do: Draft, item_id: str) -> None:
    """A voice is over; if it was an announcement's, the next may be made."""
    if do.state.announcement == item_id:
        do.change(announcement=None)
