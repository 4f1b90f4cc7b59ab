"""What stands behind the embedded server's engine: something that hears, something that thinks, and
something that speaks.

Each is an interface, since each has an offline form (a child process of ours, or plain functions) and a form
behind an OpenAI-compatible HTTP endpoint. All audio is PCM16, little-endian, mono, 24 kHz.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import trio
from attrs import frozen

if TYPE_CHECKING:
    from rtassist.protocol import FunctionTool, Item, McpTool, ToolChoiceFunction, ToolChoiceMcp, UnknownTool


class PartFailed(Exception):  # noqa: N818  what happened, as trio.Cancelled and LinkClosed
    """A part could not do its work this time; the next request may succeed.

    `message` says what happened, why, and what to do, in words for a user, and never holds a key. `code` is a
    short machine-readable word for the `error.code` of an event, such as `stt_unreachable`.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@frozen(kw_only=True)
class Transcript:
    """What the user said. `understood` is false when `text` was heard freely but is no sentence that is
    known, so that nothing may be done on its account."""

    text: str
    understood: bool


@frozen(kw_only=True)
class Say:
    """A piece of the answer: a whole sentence or a part of one. The pieces put together, with nothing between
    them, are the answer's text."""

    text: str


@frozen(kw_only=True)
class Call:
    """The thinker wants the client to call a function. `arguments` is a JSON object as text."""

    name: str
    arguments: str


@frozen(kw_only=True)
class Ask:
    """Everything that an answer may depend on.

    `items` is the history, oldest first, as the protocol's items; the user's audio is already text there.
    `now` is the user's local time. `understood` is false when the last user message was heard but is no
    sentence that the recogniser knows (see `Transcript`); it is true for typed text.
    """

    items: tuple[Item, ...]
    instructions: str
    tools: tuple[FunctionTool | McpTool | UnknownTool, ...]
    tool_choice: str | ToolChoiceFunction | ToolChoiceMcp
    now: datetime
    understood: bool


class Recogniser(Protocol):
    async def transcribe(
        self, chunks: trio.MemoryReceiveChannel[bytes], *, language: str | None
    ) -> Transcript:
        """One utterance, recognised while it is spoken: `chunks` are PCM16 at 24 kHz of any length (whole
        samples), and the channel's end is the utterance's. `language` is an ISO-639-1 code, or None.

        Raises PartFailed. Cancellation leaves the recogniser usable. Several calls may run at once.
        """
        ...


class Thinker(Protocol):
    def answer(self, ask: Ask) -> AsyncIterator[Say | Call]:
        """An async generator of the answer, piece by piece; close it (`aclosing`) to abandon it.

        Raises PartFailed, possibly after some pieces.
        """
        ...


class Synthesiser(Protocol):
    def speak(self, text: str, *, voice: str, speed: float) -> AsyncIterator[bytes]:
        """An async generator of `text` as PCM16 at 24 kHz in chunks of whole samples as they come; close it
        (`aclosing`) to abandon it.

        `voice` is one of OpenAI's names or the part's own; an unknown one is spoken in a default voice.
        `speed` is 0.25 to 1.5. Text without anything speakable gives no chunk. Raises PartFailed,
        possibly after some chunks.
        """
        ...
