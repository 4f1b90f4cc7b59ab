"""What reading a frame costs: ours, the openai package's own parser, the JSON alone; and writing one append.

    python -m bench.decode

The three take turns in one process, so that what else the machine does falls on all of them alike: quote the
ratios, which are medians of each round's own; the times are the machine's.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import orjson

from bench.minute import minute
from rtassist.protocol import InputAudioBufferAppend, decode, encode

ROUNDS: Final = 60
OPENAI_EVERY: Final = 6
"""openai's parser takes some 20 times longer; fewer rounds of it are as sure."""


def _openai_parser() -> Callable[[str], Any]:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

    # parse_event reads nothing of the connection.
    connection = AsyncRealtimeConnection.__new__(AsyncRealtimeConnection)
    return connection.parse_event


def _round_ns(parse: Callable[[str], Any], frames: list[str]) -> float:
    start = time.perf_counter_ns()
    for frame in frames:
        parse(frame)
    return (time.perf_counter_ns() - start) / len(frames)


def measure(frames: list[str], rounds: int = ROUNDS) -> tuple[dict[str, float], dict[str, float]]:
    """Median ns per frame of each parser, and the median over the rounds of each one's time over ours."""
    parsers: dict[str, Callable[[str], Any]] = {
        "rtassist": decode,
        "orjson.loads": orjson.loads,
        "openai": _openai_parser(),
    }
    times: dict[str, list[float]] = {name: [] for name in parsers}
    ratios: dict[str, list[float]] = {name: [] for name in parsers}
    for index in range(rounds):
        for name, parse in parsers.items():
            if name != "openai" or index % OPENAI_EVERY == 0:
                times[name].append(_round_ns(parse, frames))
                ratios[name].append(times[name][-1] / times["rtassist"][-1])
    return (
        {name: statistics.median(taken) for name, taken in times.items()},
        {name: statistics.median(each) for name, each in ratios.items()},
    )


def _append_ns() -> tuple[float, float]:
    """Median ns to write 20 ms of audio: with the template, and as the openai package's call does."""
    from openai.types.realtime import InputAudioBufferAppendEvent
    from pybase64 import b64encode_as_string

    pcm = bytes(range(240)) * 4
    event = InputAudioBufferAppend(audio=pcm)

    def theirs() -> str:
        audio = b64encode_as_string(pcm)
        model = InputAudioBufferAppendEvent(type="input_audio_buffer.append", audio=audio)
        return model.to_json(use_api_names=True, exclude_defaults=True, exclude_unset=True)

    ours, other = [], []
    for _ in range(200):
        start = time.perf_counter_ns()
        for _ in range(20):
            encode(event)
        ours.append((time.perf_counter_ns() - start) / 20)
        start = time.perf_counter_ns()
        theirs()
        other.append(float(time.perf_counter_ns() - start))
    return statistics.median(ours), statistics.median(other)


def main() -> None:
    frames = minute()
    sound = [f for f in frames if len(f) > 5000]
    rest = [f for f in frames if len(f) <= 5000]
    print(f"{len(frames)} frames, {sum(map(len, frames)) / 1e6:.2f} MB; Python {sys.version.split()[0]}")
    columns = ("rtassist", "orjson.loads", "openai", "× openai", "÷ orjson")
    print(f"{'median ns per frame':24}" + "".join(f"{name:>14}" for name in columns))
    for title, part in (("the minute", frames), ("its audio deltas", sound), ("the other events", rest)):
        ns, ratio = measure(part)
        print(
            f"{title:24}{ns['rtassist']:14.0f}{ns['orjson.loads']:14.0f}{ns['openai']:14.0f}"
            f"{ratio['openai']:14.1f}{1 / ratio['orjson.loads']:14.2f}"
        )
    ours, theirs = _append_ns()
    print(f"{'write one 20 ms append':24}{ours:14.0f}{'':14}{theirs:14.0f}{theirs / ours:14.1f}")


if __name__ == "__main__":
    main()
