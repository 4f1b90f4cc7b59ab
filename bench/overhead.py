"""What a client adds to the server's latency, in both directions."""

from __future__ import annotations

from typing import Final

from bench.contenders import PEERS, RAW, WEBSOCKETS, command
from bench.figures import OURS, Figure
from bench.plays import Played, play
from bench.row import CannotDo, Row, Samples

IDLE: Final = "down, idle"
LOADED: Final = "down, loaded"
UP: Final = "up, loaded"


def overhead(played: Played) -> Samples:
    """The samples of one connection, in µs. Raises CannotDo where deltas never came to the caller."""
    down_us = played.client.get("down_us", ())
    sent = sum(what == "audio" for _, what, _, _ in played.server["sent"])
    if len(down_us) < sent:
        raise CannotDo(f"of {sent} deltas {len(down_us)} came to the caller")
    if played.scenario == "idle":
        return {IDLE: down_us}
    return {LOADED: down_us, UP: [(came - heard) / 1000 for came, heard in played.server["up"]]}


def _once(contender: str, quick: bool) -> Samples:
    samples: dict[str, list[float]] = {IDLE: [], LOADED: [], UP: []}
    for played in play(command(contender), ("idle", "loaded")):
        for name, more in overhead(played).items():
            samples[name] += more
    return samples


ROWS: Final = (
    Row(
        name="overhead",
        measures="Down: the server sends 100 ms of audio at three times real time → all of it is in the "
        "caller's hands as samples; loaded, four at once and 50 appends a second the other way. Up: 20 ms of "
        "microphone is handed to the client → the server has received it.",
        figures=tuple(Figure(name=name, unit="µs") for name in (IDLE, LOADED, UP)),
        once=_once,
        contenders=(OURS, RAW, WEBSOCKETS, *PEERS),
        bounds=(RAW, WEBSOCKETS),
        quick_rounds=1,
    ),
)
