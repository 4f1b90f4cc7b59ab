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
CPU: Final = "processor"


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
    """The conversation comes last: what a first session imports and compiles is no part of a minute."""
    *latencies, conversation = play(
        command(contender), ("idle", "loaded", "exchange" if quick else "conversation")
    )
    samples: dict[str, list[float]] = {IDLE: [], LOADED: [], UP: [], CPU: [cpu_s_a_minute(conversation)]}
    for played in latencies:
        for name, more in overhead(played).items():
            samples[name] += more
    return samples


def cpu_s_a_minute(played: Played) -> float:
    return float(played.client["cpu_s"]) * 60 / lasts_s(SCENARIOS[played.scenario])


ROWS: Final = (
    Row(
        name="overhead",
        measures="Down: the server sends 100 ms of audio at three times real time → all of it is in the "
        "caller's hands as samples; loaded, four at once, and 20 ms the other way 50 times a second. Up: 20 "
        "ms of microphone are handed to the client → the server has them. Processor: what the client's "
        "process takes in a conversation without devices: of 12 seconds the user speaks for 5, and hears 9 "
        "seconds of speech that come in 3. The whole program has the row duplex.",
        figures=(
            *(Figure(name=name, unit="µs") for name in (IDLE, LOADED, UP)),
            Figure(name=CPU, unit="s a minute"),
        ),
        once=_once,
        contenders=(OURS, RAW, WEBSOCKETS, *PEERS),
        bounds=(RAW, WEBSOCKETS),
        quick_rounds=1,
        rounds=3,
    ),
)
