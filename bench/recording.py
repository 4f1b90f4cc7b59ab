"""What recording costs a conversation: in the thread that holds it, on the processor, on the disk."""

from __future__ import annotations

import random
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import soundfile
import soxr
from pybase64 import b64encode_as_string

from bench.figures import Figure
from bench.minute import DELTA_BYTES, minute
from bench.row import Row, Samples
from rtassist.dialogue import events
from rtassist.dialogue.effects import Play, Send
from rtassist.dialogue.terms import Terms
from rtassist.protocol import InputAudioBufferAppend, ResponseOutputAudioDelta, Session, decode
from rtassist.sessions.files import sound_path
from rtassist.sessions.journal import Note
from rtassist.sessions.recorder import Recorder

SPEECH: Final = Path(__file__).parents[1] / "tests" / "speech"
CHUNK_BYTES: Final = 960
CHUNKS: Final = 3000
"""Of 20 ms: a minute."""
PACE_S: Final = {False: 0.001, True: 0.0005}
"""Twenty or forty times as fast as it is spoken; in between the writer's thread runs, as it would."""
MIC, AUDIO, OTHERS = "a chunk of the microphone", "a frame with audio", "any other frame"


@cache
def speech() -> bytes:
    """A minute of speech over the noise of a quiet room: what a lossless file is to hold."""
    pieces = []
    for path in sorted(SPEECH.glob("*.wav")):
        samples, rate = soundfile.read(path, dtype="float32")
        pieces.append(soxr.resample(samples, rate, 24_000))
    spoken = np.resize(np.concatenate(pieces), CHUNKS * CHUNK_BYTES // 2)
    noise = np.random.default_rng(1).normal(0, 8 / 32768, len(spoken))
    pcm: bytes = np.rint(np.clip(spoken + noise, -1, 1) * 32767).astype("<i2").tobytes()
    return pcm


@cache
def _notes() -> tuple[tuple[str, int, tuple[Note, ...]], ...]:
    """A minute as the ring notes it: what it is, when (µs), and what belongs together."""
    heard = speech()
    happened: list[tuple[str, int, tuple[Note, ...]]] = []
    for number in range(CHUNKS):
        pcm = heard[number * CHUNK_BYTES :][:CHUNK_BYTES]
        sent = Send(InputAudioBufferAppend(audio=pcm))
        happened.append((MIC, number * 20_000, (events.MicHeard(pcm), sent)))
    chance = random.Random(1)
    spoken = 0
    for frame in minute():
        event = decode(frame)
        at_us = chance.randrange(60_000_000)
        if not isinstance(event, ResponseOutputAudioDelta):
            happened.append((OTHERS, at_us, (events.received(frame, event),)))
            continue
        pcm = heard[spoken : spoken + DELTA_BYTES]
        spoken += DELTA_BYTES
        frame = frame.replace(b64encode_as_string(event.delta), b64encode_as_string(pcm))
        said = events.ServerSaid(attrs.evolve(event, delta=pcm), frame)
        happened.append((AUDIO, at_us, (said, Play(event.item_id, pcm))))
    return tuple(sorted(happened, key=lambda each: each[1]))


def _record(contender: str, quick: bool) -> Samples:
    notes = _notes()
    taken_us: dict[str, list[float]] = {MIC: [], AUDIO: [], OTHERS: []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "minute.jsonl"
        recording = Recorder(path, about={"id": "minute"}, warn=print)
        recording.begin(Terms(session=Session(type="realtime")))
        noted_s = 0.0
        busy_s = time.process_time()
        for kind, at_us, together in notes:
            began = time.perf_counter()
            for what in together:
                recording.note(at_us, what)
            took_s = time.perf_counter() - began
            taken_us[kind].append(took_s * 1e6)
            noted_s += took_s
            if kind == MIC:
                time.sleep(PACE_S[quick])
        began = time.perf_counter()
        recording.close()
        closing_ms = (time.perf_counter() - began) * 1000
        busy_s = time.process_time() - busy_s
        sizes = {part: sound_path(path, part).stat().st_size for part in ("mic", "voice")}
        lines = path.stat().st_size
    return {
        **taken_us,
        "closing": [closing_ms],
        "a minute, both threads": [busy_s * 1000],
        "a minute's lines": [lines / 1000],
        "a minute's microphone": [sizes["mic"] / 1000],
        "half a minute's voice": [sizes["voice"] / 1000],
    }


ROWS: Final = (
    Row(
        name="recording",
        measures="What the ring notes → written: the time that it takes the ring's own thread, "
        "what the processor does in all, and what is on the disk then.",
        figures=(
            # The ring's answer to an interruption has 20 ms.
            *(Figure(name=kind, unit="µs", limit=1000, of="median") for kind in (MIC, AUDIO, OTHERS)),
            Figure(name="closing", unit="ms"),
            Figure(name="a minute, both threads", unit="ms"),
            Figure(name="a minute's lines", unit="kB"),
            Figure(name="a minute's microphone", unit="kB"),
            Figure(name="half a minute's voice", unit="kB"),
        ),
        once=_record,
        rounds=3,
        quick_rounds=1,
    ),
)
