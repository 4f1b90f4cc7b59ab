"""One response while it is made: what is thought and spoken in, its events out, in the order of OpenAI's
server."""

from __future__ import annotations

from collections import deque
from typing import TypedDict

from attrs import define, evolve, field

from rtassist.protocol import (
    AssistantContent,
    AssistantMessage,
    ContentPart,
    ConversationItemAdded,
    ConversationItemDone,
    FunctionCall,
    Response,
    ResponseContentPartAdded,
    ResponseContentPartDone,
    ResponseCreated,
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
    StatusDetails,
    StatusError,
    Usage,
)
from rtassist.server.formats import Outward
from rtassist.server.history import SAMPLES_PER_MS, Held, History, Said
from rtassist.server.outside import Abandon, Outbox, Speak, Think
from rtassist.server.parts import Call, Say
from rtassist.server.plan import Plan
from rtassist.server.tokens import context_tokens, text_tokens, usage
from rtassist.server.wording import sentences, words

# The first sound leaves as soon as it is worth a frame; then five frames a second of sound.
_FIRST_DELTA_BYTES = 40 * SAMPLES_PER_MS * 2
_DELTA_BYTES = 200 * SAMPLES_PER_MS * 2
_ARGUMENTS_DELTA_CHARACTERS = 16


class _Place(TypedDict):
    """Where in a response a delta belongs."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


@define
class _Message:
    """An assistant's message that is still growing."""

    held: Held
    index: int
    converter: Outward
    text: str = ""
    unsent: bytearray = field(factory=bytearray)


class Answer:
    """`finished` once `response.done` was said. What comes later is ignored."""

    def __init__(
        self, id: str, plan: Plan, outbox: Outbox, history: History, *, conversation_id: str, interleave: bool
    ) -> None:
        self.id = id
        self.plan = plan
        self.finished = False
        self.thinking = False
        self.context: list[Held] = []
        """What it answers, oldest first."""
        self._outbox = outbox
        self._history = history
        self._conversation_id = conversation_id if plan.in_conversation else None
        self._interleave = interleave
        self._output: list[Held] = []
        self._message: _Message | None = None
        self._unsplit = ""
        self._queue: deque[str | Call] = deque()
        self._speaking = False
        self._thought_over = False
        self._input_tokens = (0, 0)
        self._text_tokens = 0
        self._samples = 0

    @property
    def audio_ms(self) -> int:
        """How much sound was sent."""
        return self._samples // SAMPLES_PER_MS

    @property
    def used_tokens(self) -> int:
        return sum(self._input_tokens) + self._text_tokens + self._audio_tokens

    @property
    def _audio_tokens(self) -> int:
        return -(-self.audio_ms // 50)

    def begin(self) -> None:
        self._outbox.say(ResponseCreated(response=self._object("in_progress", None, usage=None)))

    def think(self) -> None:
        """The context is complete: ask for an answer."""
        self.thinking = True
        self._input_tokens = context_tokens(self.plan, self.context)
        items = tuple(item for held in self.context if (item := held.for_thinker()) is not None)
        spoken = [held.understood for held in self.context if getattr(held.item, "role", None) == "user"]
        self._outbox.ask(
            Think(
                response_id=self.id,
                items=items,
                instructions=self.plan.instructions,
                tools=self.plan.tools,
                tool_choice=self.plan.tool_choice,
                understood=spoken[-1] if spoken else True,
            )
        )

    def thought(self, piece: Say | Call) -> None:
        if self.plan.modality == "text":
            if isinstance(piece, Say):
                if piece.text:
                    self._write(piece.text)
            else:
                self._close_message("completed")
                self._call(piece)
        elif isinstance(piece, Say):
            self._unsplit += piece.text
            *whole, self._unsplit = sentences(self._unsplit)
            self._queue.extend(whole)
            self._go_on()
        else:
            self._queue_rest()
            if self._interleave:
                self._call(piece)
            else:
                self._queue.append(piece)
            self._go_on()

    def thought_over(self) -> None:
        self._thought_over = True
        self._queue_rest()
        self._go_on()

    def spoke(self, pcm: bytes) -> None:
        message = self._message
        if message is None or not self._speaking:
            return
        message.unsent += pcm
        while len(message.unsent) >= (_DELTA_BYTES if message.held.samples else _FIRST_DELTA_BYTES):
            piece = bytes(message.unsent[:_DELTA_BYTES])
            del message.unsent[:_DELTA_BYTES]
            self._sound(message, piece)
            if self.finished:
                return

    def speech_over(self) -> None:
        message = self._message
        if message is None or not self._speaking:
            return
        if message.unsent:
            rest = bytes(message.unsent)
            message.unsent.clear()
            self._sound(message, rest)
        if not self.finished:
            message.held.said[-1].end = self._end_of(message)
            self._speaking = False
            self._go_on()

    def fail(self, message: str, code: str) -> None:
        error = StatusError(type="server_error", code=code, message=message)
        self._finish("failed", StatusDetails(type="failed", error=error))

    def cancel(self, reason: str) -> None:
        """`reason`: turn_detected or client_cancelled."""
        self._finish("cancelled", StatusDetails(type="cancelled", reason=reason))

    def _queue_rest(self) -> None:
        if self._unsplit:
            self._queue.append(self._unsplit)
            self._unsplit = ""

    def _go_on(self) -> None:
        """Speak the next sentence, or make the next call, or end."""
        while self._queue and not self._speaking and not self.finished:
            piece = self._queue.popleft()
            if isinstance(piece, str):
                self._say_aloud(piece)
            else:
                self._close_message("completed")
                self._call(piece)
        if self._thought_over and not self._queue and not self._speaking and not self.finished:
            self._finish("completed", None)

    # Text, sound and calls. Each may use up the tokens and end the response.

    def _write(self, text: str) -> None:
        message = self._message or self._open_message()
        text, cut = self._within_limit(text)
        for word in words(text):
            self._outbox.say(ResponseOutputTextDelta(**self._place(message), delta=word))
        self._count_text(message, text)
        if cut:
            self._full()

    def _say_aloud(self, text: str) -> None:
        if self._message is None and not text.strip():
            return
        message = self._message or self._open_message()
        text, cut = self._within_limit(text)
        # The words run ahead of their sound, by a sentence at most.
        for word in words(text):
            self._outbox.say(ResponseOutputAudioTranscriptDelta(**self._place(message), delta=word))
        self._count_text(message, text)
        if cut:
            self._full()
        elif text.strip():
            message.held.said.append(Said(text=text, start=self._end_of(message)))
            self._speaking = True
            self._outbox.ask(
                Speak(
                    response_id=self.id,
                    text=text.strip(),
                    voice=self.plan.voice_name,
                    speed=self.plan.speed,
                )
            )

    def _sound(self, message: _Message, pcm: bytes) -> None:
        room = self._room()
        cut = room * 50 * SAMPLES_PER_MS < len(pcm) // 2
        if cut:
            pcm = pcm[: int(room) * 50 * SAMPLES_PER_MS * 2]
        message.held.add_sound(pcm)
        self._samples += len(pcm) // 2
        self._send_sound(message, message.converter.convert(pcm))
        if cut:
            self._full()

    def _send_sound(self, message: _Message, audio: bytes) -> None:
        if audio:
            self._outbox.say(ResponseOutputAudioDelta(**self._place(message), delta=audio))

    def _call(self, call: Call) -> None:
        call_id = self._outbox.new_id("call")
        arguments, cut = self._within_limit(call.arguments)
        empty = FunctionCall(
            id=self._outbox.new_id("item"),
            status="in_progress",
            name=call.name,
            call_id=call_id,
            arguments="",
        )
        held = Held(item=empty)
        index = self._add(held)
        for start in range(0, len(arguments), _ARGUMENTS_DELTA_CHARACTERS):
            self._outbox.say(
                ResponseFunctionCallArgumentsDelta(
                    response_id=self.id,
                    item_id=held.id,
                    output_index=index,
                    call_id=call_id,
                    delta=arguments[start : start + _ARGUMENTS_DELTA_CHARACTERS],
                )
            )
        self._outbox.say(
            ResponseFunctionCallArgumentsDone(
                response_id=self.id,
                item_id=held.id,
                output_index=index,
                call_id=call_id,
                name=call.name,
                arguments=arguments,
            )
        )
        self._text_tokens += text_tokens(call.name) + text_tokens(arguments)
        held.item = evolve(empty, status="incomplete" if cut else "completed", arguments=arguments)
        self._item_done(held, index)
        if cut:
            self._full()
        elif not self.plan.parallel_tool_calls:
            self._finish("completed", None)

    def _room(self) -> float:
        """Tokens that are left."""
        return max(self.plan.token_limit - self._text_tokens - self._audio_tokens, 0)

    def _within_limit(self, text: str) -> tuple[str, bool]:
        """As much of the text as there are tokens for, and whether that is less."""
        room = self._room()
        return (text, False) if text_tokens(text) <= room else (text[: int(room) * 4], True)

    def _count_text(self, message: _Message, text: str) -> None:
        message.text += text
        self._text_tokens += text_tokens(text)

    def _full(self) -> None:
        self._finish("incomplete", StatusDetails(type="incomplete", reason="max_output_tokens"))

    def _end_of(self, message: _Message) -> int:
        said = message.held.said
        return message.held.samples if message.held.heard is None else (said[-1].start if said else 0)

    # Items: added, and done.

    def _add(self, held: Held) -> int:
        index = len(self._output)
        self._output.append(held)
        self._outbox.say(ResponseOutputItemAdded(response_id=self.id, output_index=index, item=held.item))
        if self.plan.in_conversation:
            previous = self._history.insert(held)
            self._outbox.say(ConversationItemAdded(item=held.item, previous_item_id=previous))
        return index

    def _open_message(self) -> _Message:
        item = AssistantMessage(id=self._outbox.new_id("item"), status="in_progress", content=())
        held = Held(item=item)
        index = self._add(held)
        text = self.plan.modality == "text"
        part = ContentPart(type="text", text="") if text else ContentPart(type="audio", transcript="")
        message = _Message(held=held, index=index, converter=Outward(str(self.plan.format.type)))
        self._outbox.say(ResponseContentPartAdded(**self._place(message), part=part))
        self._message = message
        return message

    def _place(self, message: _Message) -> _Place:
        return {
            "response_id": self.id,
            "item_id": message.held.id,
            "output_index": message.index,
            "content_index": 0,
        }

    def _close_message(self, status: str) -> None:
        message, self._message = self._message, None
        if message is None:
            return
        held, place = message.held, self._place(message)
        if self.plan.modality == "text":
            self._outbox.say(ResponseOutputTextDone(**place, text=message.text))
            part = ContentPart(type="text", text=message.text)
            content = AssistantContent(type="output_text", text=message.text)
        else:
            if status == "completed":
                self._send_sound(message, message.converter.convert(b"", last=True))
            self._outbox.say(ResponseOutputAudioDone(**place))
            self._outbox.say(ResponseOutputAudioTranscriptDone(**place, transcript=message.text))
            part = ContentPart(type="audio", transcript=message.text)
            content = AssistantContent(type="output_audio", transcript=message.text)
        self._outbox.say(ResponseContentPartDone(**place, part=part))
        assert isinstance(held.item, AssistantMessage)
        truncated = held.heard is not None
        held.item = evolve(held.item, status=status, content=held.item.content if truncated else (content,))
        self._item_done(held, message.index)

    def _item_done(self, held: Held, index: int) -> None:
        if self._history.find(held.id) is held:
            self._outbox.say(
                ConversationItemDone(item=held.item, previous_item_id=self._history.before(held.id))
            )
        self._outbox.say(ResponseOutputItemDone(response_id=self.id, output_index=index, item=held.item))

    def _finish(self, status: str, details: StatusDetails | None) -> None:
        self.finished = True
        if status != "completed" or not self._thought_over:
            self._outbox.ask(Abandon(id=self.id))
        self._close_message("completed" if status == "completed" else "incomplete")
        self._outbox.say(
            ResponseDone(
                response=self._object(
                    status, details, usage=usage(self._input_tokens, (self._text_tokens, self._audio_tokens))
                )
            )
        )

    def _object(self, status: str, details: StatusDetails | None, *, usage: Usage | None) -> Response:
        return Response(
            object="realtime.response",
            id=self.id,
            status=status,
            status_details=details,
            output=tuple(held.item for held in self._output),
            conversation_id=self._conversation_id,
            output_modalities=(self.plan.modality,),
            max_output_tokens=self.plan.max_output_tokens,
            audio=self.plan.audio,
            usage=usage,
            metadata=self.plan.metadata,
        )
