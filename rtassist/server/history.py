"""The conversation as the server holds it: items in order, their sound, and how much of it was heard."""

from __future__ import annotations

from typing import cast

import pybase64
from attrs import define, evolve, field

from rtassist.protocol import (
    UNSET,
    AssistantContent,
    AssistantMessage,
    FunctionCall,
    Item,
    UserContent,
    UserMessage,
)
from rtassist.server.formats import RATE, encoded
from rtassist.server.parts import Transcript

SAMPLES_PER_MS = RATE // 1000
# espeak's default and an unhurried human speak about 15 characters a second; only for a sentence of which the
# end is not made yet.
_SAMPLES_PER_CHARACTER = RATE // 15


@define
class Said:
    """A piece of an assistant's text and where it lies in the item's sound; `end` None while it is being
    spoken."""

    text: str
    start: int
    end: int | None = None


@define
class Held:
    """An item and what goes with it. `item` has no sound in it, as events show it; `pcm` has (PCM16, 24 kHz),
    until it was dropped to save memory, while `samples` stays."""

    item: Item
    pcm: bytearray = field(factory=bytearray)
    samples: int = 0
    said: list[Said] = field(factory=list)
    heard: str | None = None
    """What the user heard of a truncated item, as far as we can tell; None: all of it."""
    understood: bool = True
    awaits_transcript: bool = False
    failure: tuple[str, str] | None = None
    """Why the user's words are not known: message and code."""

    @property
    def id(self) -> str:
        return cast(str, self.item.id)  # type: ignore[union-attr]  # items without an id are never held

    @property
    def ms(self) -> int:
        return self.samples // SAMPLES_PER_MS

    @property
    def has_sound(self) -> bool:
        return self.samples > 0

    def add_sound(self, pcm: bytes) -> None:
        """Sound behind what is there; a truncated item takes none."""
        if self.heard is None:
            self.pcm += pcm
            self.samples += len(pcm) // 2

    def cut(self, ms: int) -> None:
        """Truncate to the first `ms` milliseconds. The text goes too: what was heard of it is an estimate."""
        samples = ms * SAMPLES_PER_MS
        self.heard = heard_text(self.said, samples)
        del self.pcm[samples * 2 :]
        self.samples = samples
        if isinstance(self.item, AssistantMessage):
            self.item = evolve(self.item, content=(AssistantContent(type="output_audio"),))

    def transcribed(self, transcript: Transcript) -> None:
        assert isinstance(self.item, UserMessage)
        self.awaits_transcript = False
        self.understood = transcript.understood
        content = list(self.item.content or ())
        spoken = [index for index, part in enumerate(content) if part.type == "input_audio"]
        for index in spoken:
            # Of sound in several parts nobody can tell where in the words the second begins.
            content[index] = evolve(content[index], transcript=transcript.text if index == spoken[0] else "")
        self.item = evolve(self.item, content=tuple(content))

    def for_thinker(self) -> Item | None:
        """The item as text, cut to what was heard; None if there is nothing left of it."""
        if isinstance(self.item, AssistantMessage) and self.heard is not None:
            if not self.heard:
                return None
            return evolve(self.item, content=(AssistantContent(type="output_audio", transcript=self.heard),))
        return self.item

    def with_sound(self, format_in: str, format_out: str) -> Item:
        """The item with its sound as base64, in the session's formats."""
        if isinstance(self.item, UserMessage) and self.pcm:
            audio = _base64(self.pcm, format_in)
            user = tuple(
                evolve(part, audio=audio) if part.type == "input_audio" else part
                for part in self.item.content or ()
            )
            return evolve(self.item, content=user)
        if isinstance(self.item, AssistantMessage) and self.pcm:
            audio = _base64(self.pcm, format_out)
            said = tuple(
                evolve(part, audio=audio) if part.type == "output_audio" else part
                for part in self.item.content or ()
            )
            return evolve(self.item, content=said)
        return self.item


def heard_text(said: list[Said], samples: int) -> str:
    """The words that had sounded when `samples` samples had, by the share of characters in each piece."""
    heard = []
    for piece in said:
        if piece.start >= samples:
            break
        end = piece.end or piece.start + len(piece.text) * _SAMPLES_PER_CHARACTER
        if samples >= end:
            heard.append(piece.text)
            continue
        characters = len(piece.text) * (samples - piece.start) // (end - piece.start)
        heard.append(piece.text[:characters].rsplit(" ", 1)[0] if " " in piece.text[:characters] else "")
        break
    return "".join(heard).rstrip()


def _base64(pcm: bytearray, format: str) -> str:
    return pybase64.b64encode(encoded(bytes(pcm), format)).decode("ascii")


class History:
    """Items in order. Past `max_items` the oldest is forgotten; past `max_sound_bytes` the oldest items lose
    their sound and stay."""

    def __init__(self, *, max_items: int, max_sound_bytes: int) -> None:
        self._held: dict[str, Held] = {}
        self._order: list[str] = []
        self._max_items = max_items
        self._max_sound_bytes = max_sound_bytes

    def __iter__(self):  # type: ignore[no-untyped-def]  # Iterator[Held]
        return iter([self._held[id] for id in self._order])

    def find(self, id: object) -> Held | None:
        return self._held.get(id) if isinstance(id, str) else None

    @property
    def last_id(self) -> str | None:
        return self._order[-1] if self._order else None

    @property
    def last(self) -> Held | None:
        return self._held[self._order[-1]] if self._order else None

    def before(self, id: str) -> str | None:
        index = self._order.index(id)
        return self._order[index - 1] if index else None

    def insert(self, held: Held, after: str | None = None) -> str | None:
        """Put an item last, first (`root`), or after another that is here. Returns the id of the one before
        it."""
        index = len(self._order) if after is None else 0 if after == "root" else self._order.index(after) + 1
        self._order.insert(index, held.id)
        self._held[held.id] = held
        if len(self._order) > self._max_items:
            self.remove(self._order[0] if self._order[0] != held.id else self._order[1])
        return self.before(held.id)

    def remove(self, id: str) -> None:
        self._order.remove(id)
        del self._held[id]

    def calls(self) -> set[str]:
        """The ids of all function calls."""
        items = (held.item for held in self)
        return {item.call_id for item in items if isinstance(item, FunctionCall) and item.call_id}

    def save_memory(self) -> None:
        """Drop sound, the oldest first, until it fits."""
        total = sum(len(held.pcm) for held in self)
        for held in self:
            if total <= self._max_sound_bytes:
                return
            total -= len(held.pcm)
            held.pcm = bytearray()


def user_audio(id: str) -> UserMessage:
    """What becomes of a committed buffer, before anyone knows what was said."""
    return UserMessage(id=id, status="completed", content=(UserContent(type="input_audio", transcript=None),))


def without_sound(item: UserMessage) -> UserMessage:
    return evolve(
        item,
        content=tuple(evolve(part, audio=UNSET) if part.audio else part for part in item.content or ()),
    )
