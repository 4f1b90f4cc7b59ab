"""The responses that are being made: one at most of the conversation, and any number outside of it."""

from __future__ import annotations

from collections.abc import Callable

from rtassist.protocol import Item, ItemReference, RateLimit, RateLimitsUpdated, ResponseParams, Session
from rtassist.server import items, rules
from rtassist.server.history import Held, History
from rtassist.server.outside import Broke, Outbox, Refused, SpeechOver, Spoke, Thought, ThoughtOver
from rtassist.server.plan import plan
from rtassist.server.responses import Answer
from rtassist.server.transcripts import Transcripts

# A budget to show in `rate_limits.updated`; what OpenAI's server names to a large account.
_TOKENS_PER_MINUTE = 15_000_000


class Answers:
    """`after_active` is called when the conversation's response is done and another may begin."""

    def __init__(
        self,
        outbox: Outbox,
        history: History,
        transcripts: Transcripts,
        *,
        conversation_id: str,
        rate_limits: bool,
        interleave: bool,
        late_transcripts: bool,
        after_active: Callable[[Answer], None],
    ) -> None:
        self.active: Answer | None = None
        self.voice_is_fixed = False
        """The assistant has been heard: the session keeps its voice."""
        self._outbox = outbox
        self._history = history
        self._transcripts = transcripts
        self._conversation_id = conversation_id
        self._rate_limits = rate_limits
        self._interleave = interleave
        self._late_transcripts = late_transcripts
        self._after_active = after_active
        self._answers: dict[str, Answer] = {}

    def begin(
        self, session: Session, params: ResponseParams | None, *, format: str, language: str | None
    ) -> Answer:
        """`format` and `language`: of the user's sound in the response's own input. Raises Refused."""
        made = plan(
            session, params, conversation_id=self._conversation_id, voice_is_fixed=self.voice_is_fixed
        )
        if made.in_conversation and self.active is not None:
            raise Refused(
                f"Conversation already has an active response in progress: {self.active.id}. "
                "Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )
        given = [self._given(item, index, format) for index, item in enumerate(made.input or ())]
        answer = Answer(
            self._outbox.new_id("resp"),
            made,
            self._outbox,
            self._history,
            conversation_id=self._conversation_id,
            interleave=self._interleave,
        )
        self._answers[answer.id] = answer
        answer.begin()
        if made.in_conversation:
            self.active = answer
            self._transcripts.hold = self._late_transcripts
        for held, sound in given:
            self._transcripts.start(held, sound, language=language, tell=False)
        answer.context = (
            [held for held in self._history if getattr(held.item, "status", None) != "in_progress"]
            if made.input is None
            else [held for held, _ in given]
        )
        self.think_where_ready()
        return answer

    def _given(self, item: Item, index: int, format: str) -> tuple[Held, bytes]:
        """An item of a response's own input: one of the conversation's by reference, or one made for it
        alone."""
        path = f"response.input[{index}]"
        if not isinstance(item, ItemReference):
            new_id, calls = self._outbox.new_id("item"), self._history.calls()
            return items.made(item, path, new_id=new_id, calls=calls, format=format)
        held = self._history.find(item.id)
        if held is None:
            raise rules.invalid(item.id, f"{path}.id", "There is no such item in the conversation.")
        return held, b""

    def think_where_ready(self) -> None:
        """Have each response thought about of which the context is all text by now."""
        for answer in list(self._answers.values()):
            if answer.thinking or any(held.awaits_transcript for held in answer.context):
                continue
            asked = [held for held in answer.context if getattr(held.item, "role", None) == "user"]
            if asked and asked[-1].failure is not None:
                answer.fail(*asked[-1].failure)
            else:
                answer.think()
        self.settle()

    def cancel(self, id: str | None) -> None:
        """None: the conversation's. Raises Refused."""
        answer = self._answers.get(id) if id else self.active
        if answer is None:
            raise Refused("Cancellation failed: no active response found", "response_cancel_not_active")
        answer.cancel("client_cancelled")
        self.settle()

    def interrupt(self) -> None:
        """The user speaks."""
        if self.active is not None:
            self.active.cancel("turn_detected")
            self.settle()

    def take(self, report: Thought | ThoughtOver | Spoke | SpeechOver | Broke) -> None:
        """Of a response that is gone: nothing."""
        answer = self._answers.get(report.response_id)
        if answer is None:
            return
        match report:
            case Thought():
                answer.thought(report.piece)
            case ThoughtOver():
                answer.thought_over()
            case Spoke():
                answer.spoke(report.pcm)
            case SpeechOver():
                answer.speech_over()
            case Broke():
                answer.fail(report.message, report.code)
        self.voice_is_fixed = self.voice_is_fixed or answer.audio_ms > 0
        self.settle()

    def settle(self) -> None:
        """What follows when a response is done."""
        for answer in [answer for answer in self._answers.values() if answer.finished]:
            del self._answers[answer.id]
            if self._rate_limits:
                self._tell_limits(answer.used_tokens)
            if answer is self.active:
                self.active = None
                self._history.save_memory()
                self._transcripts.release()
                self._after_active(answer)

    def _tell_limits(self, used: int) -> None:
        limit = RateLimit(
            name="tokens",
            limit=_TOKENS_PER_MINUTE,
            remaining=max(_TOKENS_PER_MINUTE - used, 0),
            reset_seconds=round(used * 60 / _TOKENS_PER_MINUTE, 3),
        )
        self._outbox.say(RateLimitsUpdated(rate_limits=(limit,)))
