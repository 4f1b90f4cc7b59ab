"""What the process of every contender keeps to. Of the standard library alone, and Python 3.11.

    python -m bench.clients.NAME URL SCENARIO...

It opens a session at URL?model=NAME for each scenario (JSON, as `scenarios.for_client` makes it), one after
the other, and another when its connection breaks, if it does that by itself. It writes a line of JSON when
the server has closed the connection:

    down_us   for each stamped delta, from its stamp to all of its samples being in the caller's hands
    cpu_s     seconds of the processor, of all threads, since the last line, or since it was ready to begin
    device    what left the loudspeaker (`Loudspeaker.report`), where the client plays
    cannot    instead of all that: why it cannot do this
"""

from __future__ import annotations

import json
import struct
import sys
import time
from typing import Any, Final
from urllib.parse import urlencode

from bench.device import Loudspeaker

OVERHEAD: Final = ("idle", "loaded", "conversation", "exchange", "dropped")
"""The scenarios of which the deltas are stamped."""
RATE: Final = 24_000
BLOCK_S: Final = 0.020
BLOCK_BYTES: Final = 960
SYLLABLE, PAUSE, NOISE = (struct.pack("<2h", loud, -loud) * (BLOCK_BYTES // 4) for loud in (4096, 256, 16))
SYLLABLE_BLOCKS: Final = 5


_told_s = 0.0
_scenarios: list[dict[str, Any]] = []
"""Those that are not over."""
_heard = 0
"""Blocks of the first of them."""


def asked() -> tuple[str, list[dict[str, Any]]]:
    """The server's URL without its query, and the scenarios."""
    global _told_s
    scenarios = [json.loads(argument) for argument in sys.argv[2:]]
    _scenarios[:] = scenarios
    _told_s = time.process_time()
    return sys.argv[1], scenarios


def tell(**report: Any) -> None:
    """The scenario is over."""
    global _told_s, _heard
    before_s, _told_s = _told_s, time.process_time()
    print(json.dumps({"cpu_s": _told_s - before_s, **report}), flush=True)
    _heard = 0
    del _scenarios[:1]


def age_us(pcm: bytes) -> float | None:
    """Since the server stamped this delta; None where it is not stamped, but a voice."""
    now_ns = time.monotonic_ns()
    (stamp_ns,) = struct.unpack_from("<q", pcm)
    old_ns = now_ns - stamp_ns
    return old_ns / 1000 if 0 <= old_ns < 60_000_000_000 else None


def block() -> bytes:
    """The next 20 ms of microphone: loud, and with the time at which they were heard, while the user speaks;
    then the noise of a room."""
    global _heard
    _heard += 1
    speaks_ms = _scenarios[0]["speaks_ms"] if _scenarios else None
    if speaks_ms is not None and _heard * BLOCK_S * 1000 > speaks_ms:
        return NOISE
    speech = PAUSE if _heard // SYLLABLE_BLOCKS % 2 else SYLLABLE
    return struct.pack("<q", time.monotonic_ns()) + speech[8:]


def loudspeaker(scenario: dict[str, Any]) -> Loudspeaker:
    return Loudspeaker(**scenario["device"])


def base_url(url: str) -> str:
    """`ws://host:port/v1/realtime` as what clients of OpenAI's API take: `http://host:port/v1`."""
    return url.replace("ws", "http", 1).removesuffix("/realtime")


def only_overhead(scenarios: list[dict[str, Any]], why: str) -> None:
    """For who does not play: end this process at the first scenario that is about a loudspeaker."""
    if any(scenario["name"] not in OVERHEAD for scenario in scenarios):
        tell(cannot=why)
        sys.exit()


def query(url: str, scenario: dict[str, Any]) -> str:
    """The URL of a session that plays this scenario."""
    return f"{url}?{urlencode({'model': scenario['name']})}"
