"""The protocol's own laws, held against the events of a log: what a server or a client may not do.

Every response is created once and done once, with nothing of it behind its end; what is added is done before
its response is; one response of the conversation is made at a time; an id is told before it is used; the time
of the input does not run backwards. What is known of servers that speak another dialect is a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from attrs import define, field, frozen

from rtassist.protocol import (
    ClientEvent,
    ConversationItemAdded,
    ConversationItemCreate,
    ConversationItemCreated,
    ConversationItemDelete,
    ConversationItemDeleted,
    ConversationItemDone,
    ConversationItemInputAudioTranscriptionCompleted,
    ConversationItemInputAudioTranscriptionDelta,
    ConversationItemInputAudioTranscriptionFailed,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    ConversationItemTruncated,
    FunctionCall,
    FunctionCallOutput,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ResponseCancel,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseCreated,
    ResponseDone,
    ResponseOutputItemAdded,
    ResponseOutputItemDone,
    ServerEvent,
    SessionCreated,
    Unknown,
    laws,
)
from rtassist.protocol.catalogue import ALIASES


@frozen
class Break:
    """A law that the event of this frame breaks; `reason` is half a sentence."""

    frame: int
    reason: str


@define
class _Response:
    id: str
    default: bool
    """It is of the conversation; any number of others may be made beside it."""
    items: dict[str, int] = field(factory=dict)
    """Added and not done: the frame in which they were added."""
    parts: dict[tuple[str, int], int] = field(factory=dict)
    done: int | None = None


class Laws:
    """Sees the events of a log in their order. Every method gives the laws that the event breaks."""

    def __init__(self) -> None:
        self.notes: dict[str, int] = {}
        """What is unusual and no mistake, and in which frame it was first."""
        self._responses: dict[str, _Response] = {}
        self._items: set[str] = set()
        self._open_items: dict[str, int] = {}  # in the conversation, added and not done
        self._calls: set[str] = set()
        self._written: set[str] = set()  # items whose transcript is complete
        self._event_id = ""  # the last one
        self._from_the_start: bool | None = None
        self._says_done = False
        self._start_ms = self._end_ms = 0

    def server(self, frame: int, event: ServerEvent | Unknown) -> Iterator[Break]:
        if self._from_the_start is None:
            self._from_the_start = isinstance(event, SessionCreated)
            if not self._from_the_start:
                self._note(frame, "the log does not begin with session.created: ids before it are not known")
        if isinstance(event, Unknown):
            self._note(frame, f"{event.type} is an event that this program does not know")
            return
        self._look(frame, event)
        response_id = getattr(event, "response_id", None)
        if isinstance(response_id, str):
            yield from self._within(frame, event, response_id)
        rule = _RULES.get(type(event))
        if rule is not None:
            yield from rule(self, frame, event)

    def client(self, frame: int, event: ClientEvent | Unknown) -> Iterator[Break]:
        if isinstance(event, Unknown):
            self._note(frame, f"{event.type} is an event of the client that this program does not know")
            return
        refusal = laws.check(event, given_ids=self._items | self._calls)
        if refusal is not None:
            yield Break(frame, f"{event.type} {refusal.path}".strip() + f" {refusal.reason}")
        match event:
            case ConversationItemCreate(item=FunctionCallOutput(call_id=str(call_id))):
                if call_id not in self._calls:
                    yield from self._unknown(frame, f"there was no call {call_id}")
            case ConversationItemTruncate() | ConversationItemDelete() | ConversationItemRetrieve():
                yield from self._item_known(frame, event)
            case ResponseCancel(response_id=str(response_id)) if response_id not in self._responses:
                yield from self._unknown(frame, f"there is no response {response_id} to cancel")
        if isinstance(event, ConversationItemCreate):
            item_id = getattr(event.item, "id", None)
            if isinstance(item_id, str):
                self._items.add(item_id)
            if isinstance(event.item, FunctionCall) and isinstance(event.item.call_id, str):
                self._calls.add(event.item.call_id)

    def end(self, frame: int) -> Iterator[Break]:
        """The log is over, after this frame."""
        making = [response for response in self._responses.values() if response.done is None]
        for response in making:
            self._note(frame, f"the log ends before response {response.id} is done")
        if self._open_items and not self._says_done:
            self._note(frame, "this server never says conversation.item.done")
        elif not making:
            for item_id, added in self._open_items.items():
                yield Break(frame, f"item {item_id} was added in frame {added} and is never done")

    def _note(self, frame: int, what: str) -> None:
        self.notes.setdefault(what, frame)

    def _unknown(self, frame: int, reason: str) -> Iterator[Break]:
        """Of a log that begins in the middle, what was before it may have told the id."""
        if self._from_the_start:
            yield Break(frame, reason)

    def _look(self, frame: int, event: ServerEvent) -> None:
        """Dialects: none of this is a mistake, and all of it has surprised a client."""
        event_id = event.event_id
        if event.type in ALIASES or isinstance(event, ConversationItemCreated):
            self._note(frame, f"{event.type} is a name of the beta")
        if not event_id:
            self._note(frame, "events have no event_id")
        elif event_id == self._event_id:
            self._note(frame, "events have the event_id of the one before")
        self._event_id = event_id or ""
        if isinstance(event, SessionCreated) and not event.session.type:
            self._note(frame, "session.created does not say the type of its session")
        elif isinstance(event, ResponseContentPartAdded | ResponseContentPartDone):
            if not event.part:
                self._note(frame, f"{event.type} comes without its part")
            if "content" in event.extras:
                self._note(frame, f"{event.type} has its part a second time as content")
        elif isinstance(event, ResponseDone) and isinstance(event.response.status_details, str):
            self._note(frame, "status_details is a plain text")
        elif isinstance(event, ConversationItemInputAudioTranscriptionCompleted):
            if event.item_id in self._written:
                self._note(frame, "the transcript of an item is completed more than once")
            self._written.add(event.item_id)

    def _within(self, frame: int, event: ServerEvent, response_id: str) -> Iterator[Break]:
        response = self._responses.get(response_id)
        if response is None:
            yield from self._unknown(frame, f"{event.type} is of response {response_id}, never created")
        elif response.done is not None:
            yield Break(
                frame, f"{event.type} is of response {response_id}, which was done in frame {response.done}"
            )
        if not isinstance(event, ResponseOutputItemAdded | ResponseOutputItemDone):
            yield from self._item_known(frame, event)

    def _item_known(self, frame: int, event: Any) -> Iterator[Break]:
        item_id = getattr(event, "item_id", None)
        if isinstance(item_id, str) and item_id not in self._items:
            self._items.add(item_id)  # one break for one item
            yield from self._unknown(frame, f"{event.type} is about item {item_id}, which was never added")

    def _created(self, frame: int, event: ResponseCreated) -> Iterator[Break]:
        response_id = event.response.id
        if not isinstance(response_id, str):
            yield Break(frame, "response.created does not say the id of the response")
            return
        if response_id in self._responses:
            yield Break(frame, f"response {response_id} is created a second time")
            return
        default = event.response.conversation_id is not None
        making = [r.id for r in self._responses.values() if r.done is None and r.default]
        if default and making:
            yield Break(frame, f"response {response_id} is created while {making[0]} is being made")
        self._responses[response_id] = _Response(response_id, default)

    def _done(self, frame: int, event: ResponseDone) -> Iterator[Break]:
        response_id = event.response.id
        if not isinstance(response_id, str):
            yield Break(frame, "response.done does not say the id of the response")
            return
        response = self._responses.get(response_id)
        if response is None:
            yield from self._unknown(frame, f"response {response_id} is done and was never created")
            return
        if response.done is not None:
            yield Break(frame, f"response {response_id} is done a second time, after frame {response.done}")
            return
        response.done = frame
        for item_id, added in response.items.items():
            yield Break(
                frame, f"response {response_id} is done, and its item {item_id} of frame {added} is not"
            )
        for (item_id, index), added in response.parts.items():
            yield Break(
                frame,
                f"response {response_id} is done, and content part {index} of its item {item_id}, added in "
                f"frame {added}, is not",
            )
        response.items, response.parts = {}, {}

    def _output_item_added(self, frame: int, event: ResponseOutputItemAdded) -> Iterator[Break]:
        item_id = getattr(event.item, "id", None)
        if isinstance(event.item, FunctionCall) and isinstance(event.item.call_id, str):
            self._calls.add(event.item.call_id)
        if isinstance(item_id, str):
            self._items.add(item_id)
            if (response := self._responses.get(event.response_id)) is not None:
                response.items[item_id] = frame
        yield from ()

    def _output_item_done(self, frame: int, event: ResponseOutputItemDone) -> Iterator[Break]:
        item_id = getattr(event.item, "id", None)
        if isinstance(event.item, FunctionCall) and isinstance(event.item.call_id, str):
            self._calls.add(event.item.call_id)
        response = self._responses.get(event.response_id)
        if response is None or not isinstance(item_id, str):
            return
        if response.items.pop(item_id, None) is None:
            yield Break(frame, f"item {item_id} is done and is not open")

    def _part_added(self, frame: int, event: ResponseContentPartAdded) -> Iterator[Break]:
        if (response := self._responses.get(event.response_id)) is not None:
            response.parts[event.item_id, event.content_index] = frame
        yield from ()

    def _part_done(self, frame: int, event: ResponseContentPartDone) -> Iterator[Break]:
        response = self._responses.get(event.response_id)
        if response is not None and response.parts.pop((event.item_id, event.content_index), None) is None:
            yield Break(
                frame, f"content part {event.content_index} of item {event.item_id} is done and is not open"
            )

    def _item_added(
        self, frame: int, event: ConversationItemAdded | ConversationItemCreated
    ) -> Iterator[Break]:
        item_id = getattr(event.item, "id", None)
        if isinstance(item_id, str):
            self._items.add(item_id)
            if isinstance(event, ConversationItemAdded):
                self._open_items[item_id] = frame
        if isinstance(event.item, FunctionCall) and isinstance(event.item.call_id, str):
            self._calls.add(event.item.call_id)
        yield from ()

    def _item_done(self, frame: int, event: ConversationItemDone) -> Iterator[Break]:
        self._says_done = True
        item_id = getattr(event.item, "id", None)
        if isinstance(item_id, str):
            self._open_items.pop(item_id, None)
            if item_id not in self._items:
                self._items.add(item_id)
                yield from self._unknown(frame, f"item {item_id} is done and was never added")

    def _deleted(self, frame: int, event: ConversationItemDeleted) -> Iterator[Break]:
        self._open_items.pop(event.item_id, None)
        yield from self._item_known(frame, event)

    def _speech_started(self, frame: int, event: InputAudioBufferSpeechStarted) -> Iterator[Break]:
        self._items.add(event.item_id)
        if event.audio_start_ms < self._start_ms:
            yield Break(
                frame, f"audio_start_ms runs backwards, from {self._start_ms} to {event.audio_start_ms}"
            )
        self._start_ms = event.audio_start_ms

    def _speech_stopped(self, frame: int, event: InputAudioBufferSpeechStopped) -> Iterator[Break]:
        yield from self._item_known(frame, event)
        latest = max(self._start_ms, self._end_ms)
        if event.audio_end_ms < latest:
            yield Break(frame, f"audio_end_ms runs backwards, from {latest} to {event.audio_end_ms}")
        self._end_ms = event.audio_end_ms

    def _committed(self, frame: int, event: InputAudioBufferCommitted) -> Iterator[Break]:
        self._items.add(event.item_id)
        yield from ()


_RULES: Final[dict[type, Callable[[Laws, int, Any], Iterator[Break]]]] = {
    ResponseCreated: Laws._created,
    ResponseDone: Laws._done,
    ResponseOutputItemAdded: Laws._output_item_added,
    ResponseOutputItemDone: Laws._output_item_done,
    ResponseContentPartAdded: Laws._part_added,
    ResponseContentPartDone: Laws._part_done,
    ConversationItemAdded: Laws._item_added,
    ConversationItemCreated: Laws._item_added,
    ConversationItemDone: Laws._item_done,
    ConversationItemDeleted: Laws._deleted,
    ConversationItemTruncated: Laws._item_known,
    ConversationItemInputAudioTranscriptionDelta: Laws._item_known,
    ConversationItemInputAudioTranscriptionCompleted: Laws._item_known,
    ConversationItemInputAudioTranscriptionFailed: Laws._item_known,
    InputAudioBufferSpeechStarted: Laws._speech_started,
    InputAudioBufferSpeechStopped: Laws._speech_stopped,
    InputAudioBufferCommitted: Laws._committed,
}
