"""How long each turn of the user waited and for whom, as bars. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from attrs import frozen

from rtassist.dialogue import events
from rtassist.sessions import notation
from rtassist.sessions.reading import Asked, Begun, Happened, Record
from rtassist.sessions.summary import Latency, Tally
from rtassist.sessions.transcript import duration

US_PER_SAMPLE: Final = 1_000_000 / 24_000
_PLAY: Final = b'"effect":"play"'
_SHARES: Final = "·░▒█"
"""To committed, to response.created, to the first audio, which are the server's and the network's; and to the
first sample that sounded, which is the client's."""
_SERVER_COLOUR, _CLIENT_COLOUR = "\x1b[36m", "\x1b[33m"
_NARROWEST_BAR: Final = 10


@frozen(kw_only=True)
class Wait:
    """Of one turn that was answered. `sounded_us`, since the turn ended: the first sample of the answer was
    at the loudspeaker; by the loudspeaker's first report of it, less what had sounded by then. None where
    there was none.
    """

    latency: Latency
    sounded_us: int | None = None

    @property
    def steps_us(self) -> tuple[int, ...]:
        """The four moments since the end of the turn; one that did not come is as the one before."""
        steps: list[int] = []
        turn = self.latency
        for at_us in (turn.committed_us, turn.created_us, turn.first_audio_us, self.sounded_us):
            before_us = steps[-1] if steps else 0
            steps.append(before_us if at_us is None else max(before_us, at_us))
        return tuple(steps)

    @property
    def server_us(self) -> int:
        return self.steps_us[2]

    @property
    def client_us(self) -> int | None:
        """From the first audio to the first sample that sounded."""
        return None if self.sounded_us is None else self.steps_us[3] - self.steps_us[2]


def waits(records: Iterable[Record], header: dict[str, Any] | None = None) -> tuple[Wait, ...]:
    """Of all turns that were answered. Raises what reading the records raises."""
    tally, voices = Tally(header), _Voices()
    for _ in tally.watch(voices.watch(records)):
        pass
    return tuple(Wait(latency=turn, sounded_us=voices.sounded_us(turn)) for turn in tally.summary().latencies)


class _Voices:
    """When the first sound of each item was asked for, and when it sounded."""

    def __init__(self) -> None:
        self._asked_us: dict[str, int] = {}  # of items that have not sounded yet
        self._sounded_us: dict[int, int] = {}  # by when it was asked for

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if type(record) is Asked and record.body.startswith(_PLAY):
                item_id = notation.parse(b"{" + record.body)["item_id"]
                self._asked_us.setdefault(item_id, record.us)
            elif type(record) is Happened:
                event = record.event
                if type(event) is events.PlaybackAdvanced or type(event) is events.PlaybackEnded:
                    self._reported(record.us, event.item_id, event.heard)
                    if type(event) is events.PlaybackEnded:
                        self._asked_us.pop(event.item_id, None)
            elif type(record) is Begun:
                self._asked_us.clear()
            yield record

    def _reported(self, us: int, item_id: str, heard: int) -> None:
        asked_us = self._asked_us.get(item_id)
        if asked_us is not None and heard and asked_us not in self._sounded_us:
            self._sounded_us[asked_us] = us - round(heard * US_PER_SAMPLE)

    def sounded_us(self, turn: Latency) -> int | None:
        if turn.played_us is None:
            return None
        at_us = self._sounded_us.get(turn.at_us + turn.played_us)
        return None if at_us is None else max(turn.played_us, at_us - turn.at_us)


def lines(of: Sequence[Wait], width: int = 80, *, colour: bool = False) -> list[str]:
    """A line for each turn, with ms and a bar; the longest wait fills `width` columns (60 or more are
    enough; 0 is 100). With `colour`, the server's share is cyan and the client's yellow.
    """
    if not of:
        return ["No turn of the user was answered."]
    room = max((width or 100) - len(_row("", "", "", "", "")), _NARROWEST_BAR)
    worst_us = max(wait.steps_us[-1] for wait in of) or 1
    told = [_row("turn", "at", "ms", "server", "client") + "1 column: " + _scale(worst_us / room)]
    for number, wait in enumerate(of, 1):
        client = "–" if wait.client_us is None else _ms(wait.client_us)
        row = _row(
            str(number), duration(wait.latency.at_us), _ms(wait.steps_us[-1]), _ms(wait.server_us), client
        )
        told.append(row + _bar(wait, room / worst_us, colour=colour))
    ends = zip(_SHARES, ("committed", "created", "first audio", "first sound"), strict=True)
    return [*told, "until " + "  ".join(f"{sign} {what}" for sign, what in ends)]


def _row(*cells: str) -> str:
    return "".join(f"{cell:>{size}}" for cell, size in zip(cells, (4, 8, 7, 7, 7), strict=True)) + "  "


def _ms(us: int) -> str:
    return f"{us / 1000:.0f}"


def _scale(us: float) -> str:
    return f"{us / 1000:.1f} ms" if us < 10_000 else f"{us / 1000:.0f} ms"


def _bar(wait: Wait, columns_per_us: float, *, colour: bool) -> str:
    ends = [round(us * columns_per_us) for us in wait.steps_us]
    shares = [sign * (end - start) for sign, start, end in zip(_SHARES, [0, *ends], ends, strict=False)]
    server, client = "".join(shares[:3]), shares[3]
    if not colour:
        return server + client
    return "".join(
        f"{shade}{part}\x1b[0m"
        for shade, part in ((_SERVER_COLOUR, server), (_CLIENT_COLOUR, client))
        if part
    )
