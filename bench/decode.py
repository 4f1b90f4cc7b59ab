"""What reading a frame costs, and writing one append: ours, the openai package's own, the JSON alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import orjson

from bench.figures import OURS, Figure
from bench.minute import minute
from bench.row import CannotDo, Row, Samples
from rtassist.protocol import InputAudioBufferAppend, decode, encode

JSON_ALONE: Final = "orjson alone"
THEIRS: Final = "openai"
PASSES: Final = {OURS: 12, JSON_ALONE: 12, THEIRS: 2}
"""Over the minute and in a round; openai's parser takes some 20 times longer."""
APPENDS: Final = {OURS: 4000, THEIRS: 200}
PCM: Final = bytes(range(240)) * 4


PARTS: Final = ("a minute's frames", "audio deltas", "other events")


@cache
def _frames() -> dict[str, list[str]]:
    frames = minute()
    audio, others = [f for f in frames if len(f) > 5000], [f for f in frames if len(f) <= 5000]
    return dict(zip(PARTS, (frames, audio, others), strict=True))


@cache
def _parser(contender: str) -> Callable[[str], Any]:
    if contender == OURS:
        return decode
    if contender == JSON_ALONE:
        return orjson.loads
    try:
        from openai.resources.realtime.realtime import AsyncRealtimeConnection
    except ImportError:
        raise CannotDo("the package openai is not installed") from None
    # parse_event reads nothing of the connection.
    return AsyncRealtimeConnection.__new__(AsyncRealtimeConnection).parse_event


def _read(contender: str, quick: bool) -> Samples:
    parse = _parser(contender)
    return {
        part: [_ns_per_frame(parse, frames) for _ in range(PASSES[contender])]
        for part, frames in _frames().items()
    }


def _ns_per_frame(parse: Callable[[str], Any], frames: list[str]) -> float:
    start = time.perf_counter_ns()
    for frame in frames:
        parse(frame)
    return (time.perf_counter_ns() - start) / len(frames)


@cache
def _writer(contender: str) -> Callable[[], str]:
    if contender == OURS:
        event = InputAudioBufferAppend(audio=PCM)
        return lambda: encode(event)
    try:
        from openai.types.realtime import InputAudioBufferAppendEvent
    except ImportError:
        raise CannotDo("the package openai is not installed") from None
    from pybase64 import b64encode_as_string

    def theirs() -> str:
        """As `connection.input_audio_buffer.append` makes the text that it sends."""
        model = InputAudioBufferAppendEvent(type="input_audio_buffer.append", audio=b64encode_as_string(PCM))
        return model.to_json(use_api_names=True, exclude_defaults=True, exclude_unset=True)

    return theirs


def _write(contender: str, quick: bool) -> Samples:
    write = _writer(contender)
    batch = APPENDS[contender] // 20
    taken = []
    for _ in range(20):
        start = time.perf_counter_ns()
        for _ in range(batch):
            write()
        taken.append((time.perf_counter_ns() - start) / batch)
    return {"20 ms of audio": taken}


ROWS: Final = (
    Row(
        name="decode",
        measures="The text of a server's frame → its event as a value, for the 406 frames of a minute of "
        "conversation; beside the JSON alone, which is the bound.",
        figures=tuple(Figure(name=part, unit="ns a frame") for part in PARTS),
        once=_read,
        contenders=(OURS, JSON_ALONE, THEIRS),
        bounds=(JSON_ALONE,),
    ),
    Row(
        name="encode",
        measures="20 ms of audio as samples → the text of the append event that is sent.",
        figures=(Figure(name="20 ms of audio", unit="ns"),),
        once=_write,
        contenders=(OURS, THEIRS),
    ),
)
