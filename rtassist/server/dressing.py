"""What is on some servers' wire and in no published type: decided just before an event is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from attrs import evolve, frozen

from rtassist.protocol import (
    UNSET,
    AssistantMessage,
    ConversationItemAdded,
    ConversationItemCreated,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionDelta,
    Item,
    ResponseDone,
    ResponseFunctionCallArgumentsDelta,
    ResponseFunctionCallArgumentsDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ResponseOutputAudioTranscriptDelta,
    ResponseOutputAudioTranscriptDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ResponseOutputTextDelta,
    ResponseOutputTextDone,
    ServerEvent,
)

_PADDED = (
    ConversationItemInputAudioTranscriptionDelta
    | ResponseOutputTextDelta
    | ResponseOutputAudioTranscriptDelta
    | ResponseFunctionCallArgumentsDelta
)
_BETA_NAMES: dict[type, str] = {
    ResponseOutputTextDelta: "response.text.delta",
    ResponseOutputTextDone: "response.text.done",
    ResponseOutputAudioDelta: "response.audio.delta",
    ResponseOutputAudioDone: "response.audio.done",
    ResponseOutputAudioTranscriptDelta: "response.audio_transcript.delta",
    ResponseOutputAudioTranscriptDone: "response.audio_transcript.done",
}
_BETA_CONTENT = {"output_text": "text", "output_audio": "audio"}


@frozen(kw_only=True)
class Dressing:
    """`wire_extras`: `obfuscation` on deltas and `phase` on the assistant's messages, as OpenAI's server.
    `beta_names`: the beta's names of events and content parts, one `conversation.item.created` for `added`
    and `done`, and no `name` in `function_call_arguments.done`; sessions keep today's shape."""

    wire_extras: bool = False
    beta_names: bool = False

    def dress(self, event: ServerEvent, padding: Callable[[], str]) -> ServerEvent | None:
        """The event as it goes out; None: not at all. `padding` makes a random text."""
        if self.wire_extras:
            event = _with_extras(event, padding)
        return _as_beta(event) if self.beta_names else event


def _with_extras(event: ServerEvent, padding: Callable[[], str]) -> ServerEvent:
    if isinstance(event, _PADDED):
        return cast(ServerEvent, evolve(event, obfuscation=padding()))
    return _each_item(event, _with_phase)


def _as_beta(event: ServerEvent) -> ServerEvent | None:
    if isinstance(event, ConversationItemDone):
        return None
    event = _each_item(event, _with_beta_content)
    if isinstance(event, ConversationItemAdded):
        return ConversationItemCreated(
            event_id=event.event_id, item=event.item, previous_item_id=event.previous_item_id
        )
    if isinstance(event, ResponseFunctionCallArgumentsDone):
        return evolve(event, name=UNSET)
    name = _BETA_NAMES.get(type(event))
    return event if name is None else cast(ServerEvent, evolve(event, type=name))


def _each_item(event: ServerEvent, change: Callable[[Item], Item]) -> ServerEvent:
    if isinstance(
        event, ConversationItemAdded | ConversationItemDone | ResponseOutputItemAdded | ResponseOutputItemDone
    ):
        return cast(ServerEvent, evolve(event, item=change(event.item)))
    if isinstance(event, ResponseDone):
        output = tuple(change(item) for item in event.response.output or ())
        return evolve(event, response=evolve(event.response, output=output))
    return event


def _with_phase(item: Item) -> Item:
    return evolve(item, phase="final_answer") if isinstance(item, AssistantMessage) else item


def _with_beta_content(item: Item) -> Item:
    if not isinstance(item, AssistantMessage):
        return item
    content = [
        evolve(part, type=_BETA_CONTENT.get(part.type or "", part.type)) for part in item.content or ()
    ]
    return evolve(item, content=tuple(content))
