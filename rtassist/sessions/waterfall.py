"""How long each turn of the user waited and for whom, as bars. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rtassist.dialogue import events
from rtassist.sessions import notation
from rtassist.sessions.latency import Voices, Wait
from rtassist.sessions.reading import Asked, Begun, Happened, Record
from rtassist.sessions.summary import Tally
from rtassist.sessions.transcript import duration

_PLAY: Final = b'"effect":"play"'
_SHARES: Final = "·░▒█"
"""To committed, to response.created, to the first audio, which are the server's and the network's; and to the
first sample that sounded, which is the client's."""
_SERVER_COLOUR, _CLIENT_COLOUR = "\x1b[36m", "\x1b[33m"
_NARROWEST_BAR: Final = 10


def waits(records: Iterable[Record], header: dict[str, Any] | None = None) -> tuple[Wait, ...]:
    """Of all turns that were answered. Raises what reading the records raises."""
    tally, voices = Tally(header), Voices()
    for _ in tally.watch(_of_records(voices, records)):
        pass
    return tuple(Wait(latency=turn, sounded_us=voices.sounded_us(turn)) for turn in tally.summary().latencies)


def _of_records(voices: Voices, records: Iterable[Record]) -> Iterator[Record]:
    """The same records; the voices in them are noted."""
    for record in records:
        if type(record) is Asked and record.body.startswith(_PLAY):
            voices.asked(notation.parse(b"{" + record.body)["item_id"], record.us)
        elif type(record) is Happened:
            event = record.event
            if type(event) is events.PlaybackAdvanced or type(event) is events.PlaybackEnded:
                voices.reported(event, record.us)
        elif type(record) is Begun:
            voices.over()
        yield record


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
