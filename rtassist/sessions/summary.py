"""What was in a session, in figures: folded from the records of a recording, as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from rtassist.costs import Price, price_of, response_cost, transcription_cost
from rtassist.dialogue import events
from rtassist.protocol import (
    ConversationItemInputAudioTranscriptionCompleted,
    InputAudioBufferCommitted,
    InputAudioBufferSpeechStarted,
    InputAudioBufferSpeechStopped,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    Session,
    SessionCreated,
    SessionUpdated,
    Usage,
)
from rtassist.sessions import notation
from rtassist.sessions.latency import Latency, Turns
from rtassist.sessions.reading import Asked, Begun, Ended, Gap, Happened, Record, Timed, Torn, until_us


@frozen(kw_only=True)
class Tokens:
    """What the server counted. Cached ones are a part of the input."""

    input: int = 0
    cached: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


@frozen(kw_only=True)
class Summary:
    """A session in figures."""

    started: str = ""
    """UTC, ISO 8601, as the header says it."""
    duration_us: int = 0
    conversations: int = 0
    user_turns: int = 0
    """Spoken and typed ones."""
    assistant_turns: int = 0
    interruptions: int = 0
    """Moments in which something that sounded was silenced."""
    truncations: int = 0
    tool_calls: int = 0
    tokens: Tokens = Tokens()
    cost_usd: Decimal | None = None
    """At list prices; None for a model whose prices are not known."""
    latencies: tuple[Latency, ...] = ()
    """Of each turn of the user that was answered."""
    model: str = ""
    gaps: int = 0
    """Lines that could not be written, for the disk was too slow."""
    whole: bool = False
    """It was closed in order: nothing is missing at its end."""

    def median_us(self) -> int | None:
        """Of the whole wait, from the end of a turn to the first sample of the answer."""
        waits = sorted(turn.played_us for turn in self.latencies if turn.played_us is not None)
        return waits[len(waits) // 2] if waits else None

    def worst_us(self) -> int | None:
        return max((turn.played_us for turn in self.latencies if turn.played_us is not None), default=None)


def summarise(records: Iterable[Record], header: dict[str, Any] | None = None) -> Summary:
    """The summary of all `records`. Raises what reading them raises."""
    tally = Tally(header)
    for _ in tally.watch(records):
        pass
    return tally.summary()


class Tally:
    """Counts while the records pass by, so that one reading serves the replay and the summary."""

    def __init__(self, header: dict[str, Any] | None = None) -> None:
        header = header or {}
        self._started = str(header.get("started", ""))
        self._model = str(header.get("model", ""))
        self._free = "url" in header and header["url"] is None  # the program's own server
        self._transcriber = ""
        self._prices: tuple[Price | None, Price | None] = (None, None)
        self._conversations = self._user = self._assistant = self._truncations = self._calls = 0
        self._interruptions = 0
        self._hush_line = -1
        self._input = self._cached = self._output = 0
        self._cost: Decimal | None = Decimal(0)
        self._gaps = self._first_gap = 0
        self._last: Timed | None = None
        self._torn = False
        self._notes: list[str] = []
        self._turns = Turns()
        self._turn_items: set[str] = set()  # of this conversation, that a turn was counted for

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records; each is counted before it is given on."""
        for record in records:
            self.take(record)
            yield record
        self.over()

    def take(self, record: Record) -> None:
        """The next one."""
        if type(record) is Happened:
            event = record.event
            if type(event) is events.ServerSaid:
                count = _OF_SERVER.get(type(event.event))
                if count is not None:
                    count(self, record.us, event.event)
        elif type(record) is Asked:
            self.asked(record.line, record.us, record.body)
        elif type(record) is Begun:
            self._begun(record)
        elif type(record) is Gap:
            self._gaps += record.lines
            self._first_gap = self._first_gap or record.line
        elif isinstance(record, Torn):
            self._torn = True
            self._notes.append(
                f"line {record.line} is torn: the program ended while it was written. It does not count."
            )
            return
        self._last = record

    def over(self) -> None:
        """No more of them will come."""
        if type(self._last) is not Ended and not self._torn:
            self._notes.append("It was not closed in order: the program ended before.")

    def notes(self) -> tuple[str, ...]:
        """What is missing in the recording, in sentences; all of it once the last record has passed."""
        if not self._gaps:
            return tuple(self._notes)
        gaps = (
            f"line {self._first_gap}: here lines begin to be missing, {self._gaps} in all, for the disk was "
            "too slow. What follows in this conversation cannot be compared."
        )
        return gaps, *self._notes

    def summary(self) -> Summary:
        """Of what has passed by until now."""
        return Summary(
            started=self._started,
            duration_us=until_us(self._last) if self._last else 0,
            conversations=self._conversations,
            user_turns=self._user,
            assistant_turns=self._assistant,
            interruptions=self._interruptions,
            truncations=self._truncations,
            tool_calls=self._calls,
            tokens=Tokens(input=self._input, cached=self._cached, output=self._output),
            cost_usd=self._cost,
            latencies=self._turns.answered(),
            model=self._model,
            gaps=self._gaps,
            whole=type(self._last) is Ended,
        )

    def _begun(self, record: Begun) -> None:
        self._conversations += 1
        self._prices = record.terms.price, record.terms.transcription_price
        self._turn_items = set()
        self._turns.over()

    def asked(self, line: int, us: int, body: bytes) -> None:
        """The next effect, which stands in this line."""
        if body.startswith(b'"effect":"play"'):
            self._turns.reached("played_us", us)
        elif body.startswith(b'"effect":"hush"'):
            self._interruptions += line - self._hush_line not in (0, 1)
            self._hush_line = line
        elif body.startswith(b'"effect":"call_tool"'):
            self._calls += 1
        elif body.startswith(b'"effect":"line_ended"'):
            self._line_ended(us, notation.parse(b"{" + body))
        elif body.startswith(b'"client":'):
            sent = notation.parse(b"{" + body)["client"].get("type")
            self._truncations += sent == "conversation.item.truncate"
            if sent == "input_audio_buffer.commit":
                self._turns.ended(us)

    def _line_ended(self, us: int, line: dict[str, Any]) -> None:
        if line.get("role") == "assistant":
            self._assistant += 1
        elif line.get("typed"):
            self._user += 1
            self._turns.ended(us)

    def _session(self, us: int, event: SessionCreated | SessionUpdated) -> None:
        session = event.session
        if isinstance(session, Session):
            if isinstance(session.model, str):
                self._model = session.model
            heard = session.audio.input if session.audio else None
            if heard and heard.transcription and isinstance(heard.transcription.model, str):
                self._transcriber = heard.transcription.model

    def _speech_started(self, us: int, event: InputAudioBufferSpeechStarted) -> None:
        self._turns.over()

    def _speech_stopped(self, us: int, event: InputAudioBufferSpeechStopped) -> None:
        self._count_turn(event.item_id)
        self._turns.ended(us)

    def _committed(self, us: int, event: InputAudioBufferCommitted) -> None:
        self._count_turn(event.item_id)
        self._turns.reached("committed_us", us)

    def _count_turn(self, item_id: str) -> None:
        self._user += item_id not in self._turn_items
        self._turn_items.add(item_id)

    def _created(self, us: int, event: ResponseCreated) -> None:
        self._turns.reached("created_us", us)

    def _audio(self, us: int, event: ResponseOutputAudioDelta) -> None:
        self._turns.reached("first_audio_us", us)

    def _done(self, us: int, event: ResponseDone) -> None:
        usage = event.response.usage
        if not isinstance(usage, Usage):
            return
        into = usage.input_token_details
        self._input += usage.input_tokens or 0
        self._output += usage.output_tokens or 0
        self._cached += (into.cached_tokens or 0) if into else 0
        if usage.input_tokens or usage.output_tokens:
            self._costs(response_cost(self._prices[0] or price_of(self._model), usage))

    def _transcribed(self, us: int, event: ConversationItemInputAudioTranscriptionCompleted) -> None:
        if event.usage:
            self._costs(transcription_cost(self._prices[1] or price_of(self._transcriber), event.usage))

    def _costs(self, more: Decimal | None) -> None:
        if self._free and self._prices[0] is None:
            return
        self._cost = None if self._cost is None or more is None else self._cost + more


_OF_SERVER: Final[dict[type, Callable[..., None]]] = {
    SessionCreated: Tally._session,
    SessionUpdated: Tally._session,
    InputAudioBufferSpeechStarted: Tally._speech_started,
    InputAudioBufferSpeechStopped: Tally._speech_stopped,
    InputAudioBufferCommitted: Tally._committed,
    ConversationItemInputAudioTranscriptionCompleted: Tally._transcribed,
    ResponseCreated: Tally._created,
    ResponseOutputAudioDelta: Tally._audio,
    ResponseDone: Tally._done,
}
