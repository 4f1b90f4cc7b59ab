"""A streamed chat completion, from bytes to pieces of an answer: lines, chunks, words, function calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
from attrs import define, field

from rtassist.server.endpoints.failures import Peer, words_in
from rtassist.server.parts import Call, PartFailed, Say

_MAX_BYTES = 32 * 1024 * 1024
_MAX_LINE_BYTES = 1024 * 1024
# More than an hour of speech.
_MAX_CHARACTERS = 100_000
# Of a language without spaces, or of no language.
_MAX_HELD_CHARACTERS = 200

# Up to here nothing that follows can change how it is spoken: after a space, or after a full-width stop.
_WHOLE = re.compile(r".*[\s、。！？，；：]", re.DOTALL)
_THINKING, _THOUGHT = "<think>", "</think>"


class AnswerReader:
    """`feed` what comes, then `finish`. Where either raises PartFailed, `rest` still has the last words.

    Reads server-sent events as OpenAI's server writes them, and a completion that was not streamed.
    """

    def __init__(self, peer: Peer) -> None:
        self.done = False
        """The server said that this was all."""
        self._peer = peer
        self._size = 0
        self._line = bytearray()
        self._document: bytearray | None = None
        self._begun = False
        self._reason = ""
        self._words = Words()
        self._calls = Calls()

    def feed(self, data: bytes) -> Iterator[Say]:
        self._size += len(data)
        if self._size > _MAX_BYTES:
            raise self._too_long()
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._line += line
            line = bytes(self._line)
            self._line.clear()
            yield from self._take(line)
        self._line += rest
        if len(self._line) > _MAX_LINE_BYTES:
            raise self._too_long()

    def finish(self) -> Iterator[Say | Call]:
        """After the last byte, or once `done`."""
        if self._line and not self.done:
            yield from self._take(bytes(self._line), last=True)
        if self._document is not None:
            yield from self._chunk(bytes(self._document), last=True)
        yield from self._words.rest()
        if not self.complete:
            raise self._peer.failed("broken_off", "broke off in the middle of the answer.")
        calls = self._calls.whole()
        if calls is None:
            raise self._peer.failed("bad_answer", "called a function with arguments that are no JSON object.")
        if not calls and not self._words.said and self._reason in ("length", "content_filter"):
            raise self._peer.failed("bad_answer", f'answered nothing (it stopped for "{self._reason}").')
        yield from calls

    @property
    def complete(self) -> bool:
        """All of the answer is here, whatever may still follow."""
        return self.done or bool(self._reason)

    def rest(self) -> Iterator[Say]:
        """The words that were held back."""
        return self._words.rest()

    def _take(self, line: bytes, *, last: bool = False) -> Iterator[Say]:
        line = line.strip()
        if not self._begun and line:
            self._begun = True
            if line.startswith(b"<"):
                raise self._peer.no_page()
            if line.startswith(b"{"):
                self._document = bytearray()
        if self._document is not None:
            self._document += line
            return
        name, _, value = line.partition(b":")
        value = value.strip()
        if value == b"[DONE]":
            self.done = True
        elif name == b"error":  # llama.cpp's of old
            raise self._broke_off(value)
        elif name == b"data" and value and not self.done:
            yield from self._chunk(value, last=last)

    def _chunk(self, text: bytes, *, last: bool) -> Iterator[Say]:
        """One JSON object; the `last` may be cut short, and then says nothing."""
        try:
            data = orjson.loads(text)
        except orjson.JSONDecodeError:
            if last:
                return
            words = self._peer.quoted(text.decode("utf-8", "replace"), 60)
            raise self._peer.failed("bad_answer", f'answered with what is no JSON: "{words}".') from None
        if not isinstance(data, dict) or data.get("error"):
            raise self._broke_off(text)
        match data:
            case {"choices": [{"delta": dict(said)} as choice, *_]}:
                pass
            case {"choices": [{"message": dict(said)} as choice, *_]}:
                self.done = self._document is not None
            case {"choices": [dict(choice), *_]}:
                said = {}
            case _:  # the usage, or a filter's opinion of the question
                return
        reason = choice.get("finish_reason")
        self._reason = reason if isinstance(reason, str) and reason else self._reason
        fragments = said.get("tool_calls")
        for fragment in fragments if isinstance(fragments, list) else ():
            if isinstance(fragment, dict):
                self._calls.take(fragment)
        if max(self._words.said, self._calls.characters) > _MAX_CHARACTERS:
            raise self._too_long()
        yield from self._words.take(_text(said.get("content")))

    def _broke_off(self, text: bytes) -> PartFailed:
        words = self._peer.quoted(words_in(text)) or "no reason given"
        return self._peer.failed("failed", f'broke off: "{words}".')

    def _too_long(self) -> PartFailed:
        return self._peer.failed("too_long", "would not come to an end with its answer.")


def _text(content: object) -> str:
    """Some servers send parts, of which only text is for the user."""
    match content:
        case str():
            return content
        case [*parts]:
            return "".join(
                part["text"]
                for part in parts
                if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
            )
    return ""


@define
class Words:
    """Text from whatever pieces it comes in to pieces of whole words, without what a model thinks aloud
    between <think> and </think> before it answers, and without space before the first word."""

    said: int = 0
    """Characters."""
    _held: str = ""
    _thinking: bool = False

    def take(self, text: str) -> Iterator[Say]:
        self._held += text
        if not self.said and not self._answering():
            return
        if whole := _WHOLE.match(self._held):
            yield from self._say(whole.end())
        if len(self._held) > _MAX_HELD_CHARACTERS:
            yield from self._say(len(self._held))

    def rest(self) -> Iterator[Say]:
        if not self._thinking:
            yield from self._say(len(self._held))

    def _answering(self) -> bool:
        """Nothing was said yet: whether what is held belongs to the answer."""
        self._held = self._held.lstrip()
        if self._held.startswith(_THINKING):
            self._thinking = True
        if self._thinking:
            _, end, after = self._held.partition(_THOUGHT)
            self._thinking = not end
            self._held = after.lstrip() if end else _THINKING + self._held[-len(_THOUGHT) :]
        return bool(self._held) and not _THINKING.startswith(self._held) and not self._thinking

    def _say(self, end: int) -> Iterator[Say]:
        text, self._held = self._held[:end], self._held[end:]
        self.said += len(text)
        if text:
            yield Say(text=text)


@define
class _Slot:
    index: object
    id: str = ""
    name: str = ""
    arguments: str = ""


@define
class Calls:
    """Function calls from their fragments, several at once. A fragment belongs to the last call of its index;
    a new id begins a new call, since some servers give all of them one index (Ollama's issue 15457) or none.
    """

    characters: int = 0
    _slots: list[_Slot] = field(factory=list)

    def take(self, fragment: dict[str, Any]) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        index, id, name = fragment.get("index"), fragment.get("id"), function.get("name")
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = orjson.dumps(arguments).decode()
        slot = next((slot for slot in reversed(self._slots) if slot.index == index), None)
        begins = (id and id != slot.id) if slot and slot.id else (name and index is None)
        if slot is None or begins:
            slot = _Slot(index=index)
            self._slots.append(slot)
        slot.id = slot.id or str(id or "")
        slot.name = slot.name or str(name or "")
        slot.arguments += arguments
        self.characters += len(arguments)

    def whole(self) -> list[Call] | None:
        """The calls in the order in which they began; None if one of them is none that can be made."""
        calls = []
        for slot in self._slots:
            arguments = slot.arguments.strip() or "{}"
            try:
                fits = isinstance(orjson.loads(arguments), dict)
            except orjson.JSONDecodeError:
                fits = False
            if not fits or not slot.name:
                return None
            calls.append(Call(name=slot.name, arguments=arguments))
        return calls
