"""What the engine asks of the world around it, and what the world reports back.

The engine calls nothing and waits for nothing. A request names the item or the response that it is for; its
reports carry the same name, and one that comes after `Abandon` finds nobody and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from rtassist.server.parts import Call, Say, Transcript

if TYPE_CHECKING:
    from rtassist.protocol import (
        FunctionTool,
        Item,
        McpTool,
        ServerEvent,
        ToolChoiceFunction,
        ToolChoiceMcp,
        UnknownTool,
    )


@frozen(kw_only=True)
class Listen:
    """How probable is speech in this PCM16 (24 kHz)? Answered by `Listened` before any other event. `afresh`:
    the sound before it does not count any more."""

    pcm: bytes
    afresh: bool


@frozen(kw_only=True)
class Transcribe:
    """An utterance begins; its sound follows in `TranscribeMore` and ends with `TranscribeEnd`. Answered by
    `Transcribed` or `NotTranscribed`, after its end."""

    item_id: str
    language: str | None


@frozen(kw_only=True)
class TranscribeMore:
    item_id: str
    pcm: bytes


@frozen(kw_only=True)
class TranscribeEnd:
    item_id: str


@frozen(kw_only=True)
class Think:
    """Answered by any number of `Thought`, then `ThoughtOver` or `Broke`."""

    response_id: str
    items: tuple[Item, ...]
    instructions: str
    tools: tuple[FunctionTool | McpTool | UnknownTool, ...]
    tool_choice: str | ToolChoiceFunction | ToolChoiceMcp
    understood: bool


@frozen(kw_only=True)
class Speak:
    """Answered by any number of `Spoke`, then `SpeechOver` or `Broke`. A response has one at a time."""

    response_id: str
    text: str
    voice: str
    speed: float


@frozen(kw_only=True)
class Abandon:
    """Whatever is still being done for this item or response is not wanted any more."""

    id: str


@frozen(kw_only=True)
class SetAlarm:
    """Report `Rang` at this time of the engine's clock; None: never mind. Replaces its namesake."""

    name: str
    at_us: int | None


@frozen(kw_only=True)
class Close:
    """Close the socket behind the events that came before this one."""

    code: int
    reason: str


Request = Listen | Transcribe | TranscribeMore | TranscribeEnd | Think | Speak | Abandon | SetAlarm | Close


@frozen(kw_only=True)
class Listened:
    """One probability for each 32 ms, see `hearing.Ear`."""

    probabilities: tuple[float, ...]


@frozen(kw_only=True)
class Transcribed:
    item_id: str
    transcript: Transcript


@frozen(kw_only=True)
class NotTranscribed:
    item_id: str
    message: str
    code: str


@frozen(kw_only=True)
class Thought:
    response_id: str
    piece: Say | Call


@frozen(kw_only=True)
class ThoughtOver:
    response_id: str


@frozen(kw_only=True)
class Spoke:
    response_id: str
    pcm: bytes


@frozen(kw_only=True)
class SpeechOver:
    response_id: str


@frozen(kw_only=True)
class Broke:
    """The thinker or the synthesiser could not do it; `message` is for the user."""

    response_id: str
    message: str
    code: str


@frozen(kw_only=True)
class Rang:
    name: str


@frozen(kw_only=True)
class Malformed:
    """A frame that is no client event. `path` is empty where not even an object with a type was found."""

    path: str
    reason: str
    event_id: str | None = None


Report = (
    Listened
    | Transcribed
    | NotTranscribed
    | Thought
    | ThoughtOver
    | Spoke
    | SpeechOver
    | Broke
    | Rang
    | Malformed
)

Output = "ServerEvent | Request"
Input = "ClientEvent | Unknown | Report"

Ids = Callable[[str], str]
"""A new unique id of a kind: event, item, resp, conv, sess, call."""


class Refused(Exception):  # noqa: N818  what happened to the client's event, and no fault of ours
    """A client event is against the rules; becomes an `error` event and changes nothing."""

    def __init__(self, message: str, code: str | None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


@define
class Outbox:
    """Everything that came of one input, in order."""

    new_id: Ids
    _waiting: list[ServerEvent | Request] = field(factory=list)

    def say(self, event: ServerEvent) -> None:
        """An event for the client, which gets its id here."""
        self._waiting.append(evolve(event, event_id=self.new_id("event")))

    def ask(self, request: Request) -> None:
        self._waiting.append(request)

    def taken(self) -> list[ServerEvent | Request]:
        taken, self._waiting = self._waiting, []
        return taken
