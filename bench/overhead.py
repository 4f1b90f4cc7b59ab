"""What a client adds to the server's latency, in both directions."""

from __future__ import annotations

from typing import Final

from bench.contenders import PEERS, RAW, WEBSOCKETS, command
from bench.figures import OURS, Figure
from bench.plays import Played, play
from bench.row import CannotDo, Row, Samples
from bench.scenarios import SCENARIOS, lasts_s

IDLE: Final = "down, idle"
LOADED: Final = "down, loaded"
UP: Final = "up, loaded"
CPU: Final = "client alone"


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


def cpu_s_a_minute(played: Played) -> float:
    return float(played.client["cpu_s"]) * 60 / lasts_s(SCENARIOS[played.scenario])


def _processor(contender: str, quick: bool) -> Samples:
    """Behind another session: what a first one imports and compiles is no part of a minute."""
    played = play(command(contender), ("loaded", "conversation"))
    return {CPU: [cpu_s_a_minute(played[1])]}


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
        rounds=3,
    ),
    Row(
        name="processor",
        measures="A conversation without devices, 50 appends a second up and 9 seconds of speech down in 12 "
        "→ seconds of the processor that the client's process takes, a minute. The whole program has the row "
        "duplex.",
        figures=(Figure(name=CPU, unit="s a minute"),),
        once=_processor,
        contenders=(OURS, RAW, WEBSOCKETS, *PEERS),
        bounds=(RAW, WEBSOCKETS),
        quick_rounds=1,
        rounds=2,
    ),
)
