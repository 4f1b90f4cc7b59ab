"""What an interruption promises, checked on a conversation while it is held. Pure.

It keeps a history of its own from what happens, what is asked for, and what the loudspeaker is given and
sounds; it reads nothing of the state in which all of it is decided.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

from attrs import define, frozen

from rtassist.dialogue import events
from rtassist.dialogue.effects import Effect, Finish, Hush, Keep, Play, Quit, Send
from rtassist.dialogue.state import SAMPLES_PER_MS
from rtassist.dialogue.terms import Terms
from rtassist.protocol import (
    ConversationItemDelete,
    ConversationItemTruncate,
    InputAudioBufferSpeechStarted,
    ResponseCancel,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ServerEvent,
    Unknown,
)

PROPERTIES: Final = {
    "P1": "when the user speaks, nothing more is played of any answer known by then",
    "P2": "everything that sounds then is hushed, each voice once",
    "P3": "no item is truncated twice",
    "P4": "a truncation names what was heard: not nothing, and not more than came",
    "P5": "what is handed to the loudspeaker, and heard, is what was asked for",
    "P6": "a voice that is hushed is silent within 20 ms",
    "P7": "a truncation is where the sound really ended, to the ms",
    "P8": "a truncation goes before the cancellation; what the server cancels we do not",
    "P10": "no server is told of what another one made",
}
SILENT_US: Final = 20_000
"""One chunk."""
_MOST_BREAKS: Final = 100


@frozen
class Break:
    """A property that did not hold; `us` since the conversation began."""

    property: str
    us: int
    what: str


@define
class _Answer:
    """A response of the server."""

    silenced: bool = False
    done: bool = False
    cancelling: str = ""
    """Who does it."""


@define
class _Item:
    """The voice of an assistant message. All counts are samples."""

    id: str
    response_id: str
    arrived: int = 0
    complete: bool = False
    asked: int = 0
    handed: int = 0
    sounded: int = 0
    sounded_us: int = 0
    """When the last of it did."""
    hushed_us: int | None = None
    moved: bool = False
    """To another loudspeaker, which begins with what had not sounded."""
    ended: bool = False
    truncated: bool = False
    deleted: bool = False
    lost: bool = False
    """Its session is over: there is nobody to be told of it."""

    @property
    def sounds(self) -> bool:
        return bool(self.asked) and not self.ended and self.hushed_us is None

    @property
    def sounded_ms(self) -> int:
        return self.sounded // SAMPLES_PER_MS

    @property
    def arrived_ms(self) -> int:
        return self.arrived // SAMPLES_PER_MS


class Monitor:
    """Watches one conversation. `note` gets all that passes the door, as a recorder does; `handed` and
    `sounded` what the loudspeaker is given and sounds. Times are µs since the conversation began.
    """

    def __init__(self, terms: Terms) -> None:
        self.checks: Counter[str] = Counter()
        self.breaks: list[Break] = []
        self._terms = terms
        self._answers: dict[str, _Answer] = {}
        self._items: dict[str, _Item] = {}
        self._truncated_ids: set[str] = set()  # of what is forgotten
        self._queue: deque[_Item] = deque()  # as the loudspeaker gets them
        self._us = 0
        self._cause: events.Event | None = None
        self._sounding: list[str] = []  # when the last event came
        self._hushed: list[str] = []  # since then
        self._over = False

    def note(self, us: int, what: events.Event | Effect) -> None:
        if self._over:
            return
        match what:
            case Play() | Hush() | Finish() | Send() | Keep() | Quit():
                self._us = us
                self._asked(what)
            case events.MicHeard():
                return
            case _ if isinstance(what, events.Event):
                self.settle()
                self._us = us
                self._cause = what
                self._sounding = [item.id for item in self._items.values() if item.sounds]
                self._happened(what)
            case _:
                return

    def handed(self, us: int, samples: int) -> None:
        """The loudspeaker takes so much more."""
        if not self._queue:
            self._check("P5", us, False, f"{samples} samples are handed over, and nothing is to be said")
            return
        item = self._queue[0]
        item.handed += samples
        silenced = item.hushed_us is not None or self._answers[item.response_id].silenced
        self._check("P1", us, not silenced, f"{samples} samples of {item.id} are handed over")
        fits = item.moved or item.handed <= item.asked
        self._check("P5", us, fits, f"{item.handed} samples of {item.id} are handed over, not {item.asked}")

    def sounded(self, until_us: int, samples: int) -> None:
        """So much more has sounded, up to this moment."""
        if self._queue:
            item = self._queue[0]
            item.sounded += samples
            item.sounded_us = until_us

    def lost(self) -> None:
        """The loudspeaker is gone; what had not sounded goes to the next one."""
        if self._queue:
            self._queue[0].moved = True

    def settle(self) -> None:
        """All effects of the last event are known."""
        cause, self._cause = self._cause, None
        if cause is None:
            return
        took = self._hushed or self._takes(cause)
        if took and (self._hushed or self._sounding):
            fits = sorted(self._hushed) == sorted(self._sounding)
            self._check("P2", self._us, fits, f"hushed {self._hushed}, and {self._sounding} sounded")
        replaced = isinstance(cause, events.ServerSaid) and isinstance(cause.event, ResponseCreated)
        if self._hushed and not replaced:
            self._silence_all()
        self._hushed = []
        if isinstance(cause, events.PlaybackEnded) and (item := self._items.get(cause.item_id)):
            self._settled(item)
        elif isinstance(cause, events.ServerSaid) and isinstance(cause.event, ResponseDone):
            for item in self._items.values():
                if item.response_id == cause.event.response.id:
                    self._deleted(item)
        else:
            return
        self._forget()

    def _forget(self) -> None:
        """What is over: its voice has ended, or never began, and its response is done."""
        for item in [*self._items.values()]:
            if (item.ended or not item.asked) and self._answers[item.response_id].done:
                del self._items[item.id]
                if item.truncated:
                    self._truncated_ids.add(item.id)

    def _takes(self, cause: events.Event) -> bool:
        """The user takes the floor by this, whatever is asked for."""
        if isinstance(cause, events.ServerSaid):
            return isinstance(cause.event, InputAudioBufferSpeechStarted) and self._terms.interrupts
        return isinstance(cause, events.Interrupted)

    def _silence_all(self) -> None:
        for answer in self._answers.values():
            answer.silenced = True

    def _check(self, property: str, us: int, holds: bool, what: str) -> None:
        self.checks[property] += 1
        if not holds and len(self.breaks) < _MOST_BREAKS:
            self.breaks.append(Break(property, us, what))

    def _happened(self, what: events.Event) -> None:
        match what:
            case events.ServerSaid(event=event):
                self._said(event)
            case events.PlaybackEnded(item_id=item_id, heard=heard):
                self._ended(item_id, heard)

    def _said(self, event: ServerEvent | Unknown) -> None:
        match event:
            case InputAudioBufferSpeechStarted() if self._terms.interrupts:
                self._silence_all()
                for answer in self._answers.values():
                    if not answer.done and not answer.cancelling:
                        answer.cancelling = "the server"
            case ResponseCreated(response=response) if isinstance(response.id, str):
                self._answers.setdefault(response.id, _Answer())
            case ResponseDone(response=response) if isinstance(response.id, str):
                self._answers.setdefault(response.id, _Answer()).done = True
                for item in self._items.values():
                    item.complete = item.complete or item.response_id == response.id
            case ResponseOutputAudioDelta(item_id=item_id, response_id=response_id, delta=pcm):
                self._answers.setdefault(response_id, _Answer())
                item = self._items.setdefault(item_id, _Item(item_id, response_id))
                item.arrived += len(pcm) // 2
            case ResponseOutputAudioDone(item_id=item_id) if item_id in self._items:
                self._items[item_id].complete = True

    def _ended(self, item_id: str, heard: int) -> None:
        item = self._items.get(item_id)
        if item is None:
            return
        if item in self._queue:
            self._queue.remove(item)
        item.ended = True
        right = heard == item.sounded and (item.moved or heard <= item.handed)
        self._check("P5", self._us, right, f"{item_id} sounded {item.sounded} samples, not {heard}")
        if item.hushed_us is not None:
            late_us = item.sounded_us - item.hushed_us
            self._check("P6", self._us, late_us <= SILENT_US, f"{item_id} sounds {late_us} µs longer")
        elif item.complete and not item.moved:
            whole = heard == item.asked
            self._check("P5", self._us, whole, f"{item_id} ended after {heard} samples of {item.asked}")

    def _asked(self, effect: Play | Hush | Finish | Send | Keep | Quit) -> None:
        match effect:
            case Play(item_id=item_id) if (item := self._items.get(item_id)) is not None:
                silenced = self._answers[item.response_id].silenced
                self._check("P1", self._us, not silenced, f"{effect.samples} samples of {item_id} are played")
                if not item.asked:
                    self._queue.append(item)
                item.asked += effect.samples
            case Hush(item_id=item_id):
                self._hushed.append(item_id)
                if (item := self._items.get(item_id)) is not None:
                    item.hushed_us = self._us
            case Send(event=ConversationItemTruncate(item_id=item_id, audio_end_ms=ms)):
                self._truncated(self._items.get(item_id), item_id, ms)
            case Send(event=ConversationItemDelete(item_id=item_id)):
                if (item := self._items.get(item_id)) is not None:
                    unheard = not item.sounded_ms and not item.truncated and not item.deleted
                    self._check("P4", self._us, unheard, f"{item_id} is deleted, and was heard")
                    item.deleted = True
            case Send(event=ResponseCancel(response_id=str(response_id))):
                self._cancelled(response_id)
            case Keep():
                for answer in self._answers.values():
                    answer.done = True
                for item in self._items.values():
                    item.lost = True
            case Quit():
                self.settle()
                self._over = True

    def _truncated(self, item: _Item | None, item_id: str, ms: int) -> None:
        if item is None:
            again = item_id in self._truncated_ids
            self._check("P3", self._us, not again, f"{item_id} is truncated again")
            self._check("P4", self._us, again, f"{item_id} is truncated, and there is nothing of it")
            return
        self._check("P3", self._us, not item.truncated, f"{item_id} is truncated again")
        self._check("P10", self._us, not item.lost, f"{item.id} is truncated, and its session is over")
        item.truncated = True
        whole = item.complete and ms >= item.arrived_ms
        fits = item.ended and 0 < ms <= item.arrived_ms and not whole
        self._check("P4", self._us, fits, f"{item_id} is truncated at {ms} of {item.arrived_ms} ms")
        right = ms == item.sounded_ms
        self._check(
            "P7", self._us, right, f"{item_id} is truncated at {ms}, and sounded {item.sounded_ms} ms"
        )
        cancelled = self._answers[item.response_id].cancelling == "we"
        self._check("P8", self._us, not cancelled, f"{item_id} is truncated after its response was cancelled")

    def _cancelled(self, response_id: str) -> None:
        answer = self._answers.setdefault(response_id, _Answer())
        who = answer.cancelling or ("nobody, for it is done" if answer.done else "")
        self._check("P8", self._us, not who, f"{response_id} is cancelled, which {who} does already")
        waits = any(
            item.hushed_us is not None and not item.ended
            for item in self._items.values()
            if item.response_id == response_id
        )
        self._check("P8", self._us, not waits, f"{response_id} is cancelled before it is truncated")
        answer.cancelling = "we"

    def _settled(self, item: _Item) -> None:
        """Its end was reported: what was cut is told."""
        if item.hushed_us is None or item.lost:
            return
        cut = 0 < item.sounded_ms < item.arrived_ms
        told = item.truncated or not cut
        self._check("P4", self._us, told, f"{item.id} was cut at {item.sounded_ms} ms, and is not truncated")
        self._deleted(item)

    def _deleted(self, item: _Item) -> None:
        if item.hushed_us is None or item.lost or not item.ended or not self._answers[item.response_id].done:
            return
        unheard = not item.sounded_ms and item.arrived_ms > 0
        told = item.deleted or not unheard
        self._check("P4", self._us, told, f"nothing was heard of {item.id}, and it is not deleted")
