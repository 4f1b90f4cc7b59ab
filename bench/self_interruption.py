"""Does the assistant interrupt itself, and does a user interrupt it in time? Thirty minutes of sound.

`python -m bench.self_interruption` plays an assistant that reads on into its own microphone, in rooms that do
not exist (tests/audio/rooms.py), through the program's own echo path on virtual devices: 0 to -20 dB, 30 to
400 ms, clocks that differ by 100 ppm, a loudspeaker that distorts. In one half of each cell nobody else
speaks; in the other a user does, now and then, at three levels. The embedded server's voice activity
detection listens to what goes out, at its default settings; "ducks" is the local detector that lowers the
voice before.

A user is caught who is heard within 300 ms of his first sound. "alone" is the user without any echo, the most
that can be reached; "off" the microphone as it is, "canceller" without the guard, and "guard" what is sent.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import trio
from attrs import Factory, define, evolve, frozen

from bench.figures import OURS, Figure
from bench.row import CannotDo, Row, Samples
from rtassist.audio.echo import FRAME, canceller
from rtassist.audio.onset import OnsetWatch
from rtassist.audio.pcm import to_float, to_pcm16
from rtassist.dialogue.duck import LONGEST_REST_US, RELEASE_US, REST_US
from rtassist.protocol import ServerVad
from rtassist.server.hearing import SileroEar, SpeechStarted, TurnDetector, listening
from rtassist.server.stand_in.story import STORY
from rtassist.server.synthesis import open_synthesiser
from tests.audio.rooms import NOISE, RATE, SPEECH, Sound, levelled, spoken
from tests.audio.virtual_devices import Listened, Room, listen, sounded
from tests.conftest import missing_for_aec, missing_for_offline

VOICES = ("alloy", "marin", "coral", "verse", "cedar")
USERS = tuple(sorted(path.stem for path in SPEECH.glob("*.wav") if "stop" not in path.stem))
LEVELS_DB = (0.0, -6.0, -12.0)
"""Of the user, against an assistant's voice that comes back with a gain of 0 dB."""
WITHIN_S = 0.3
NEVER_MS = 9999.0
"""For a user who is not heard at all."""
AFTERWARDS_S = 0.8
"""What is heard as speech for so long after the user is his: his room, and the detector's 32 ms."""
VOICE_STOPS_S = 1.0
"""An interruption ends the voice, and the next one may be interrupted again."""
ONSET_DB = -20.0
"""Under his level: where the user begins to speak. What is weaker is breath."""


@frozen(kw_only=True)
class Cell:
    room: Room
    voice: str
    seconds: float = 60.0
    seed: int = 1
    users_from_s: float = 3.5
    """The first voice begins at 0.5 s, and 2 to 3 s of it are learnt from."""


@frozen(kw_only=True)
class Trial:
    """A user speaks from `begins_s` to `ends_s`."""

    begins_s: float
    ends_s: float
    level_db: float


@define(kw_only=True)
class Result:
    """`late_s`: for each trial how long it took until speech had started, None where it was never heard."""

    seconds: float = 0.0
    false: int = 0
    trials: list[Trial] = Factory(list)
    late_s: list[float | None] = Factory(list)
    cpu_s: float = 0.0

    def add(self, other: "Result") -> None:
        self.seconds += other.seconds
        self.false += other.false
        self.trials += other.trials
        self.late_s += other.late_s
        self.cpu_s += other.cpu_s

    def summary(self) -> dict[str, Any]:
        caught = [late for late in self.late_s if late is not None and late <= WITHIN_S]
        heard_ms = [NEVER_MS if late is None else 1000 * late for late in self.late_s]
        return {
            "minutes": round(self.seconds / 60, 2),
            "false": self.false,
            "false_per_10_minutes": round(600 * self.false / self.seconds, 2),
            "trials": len(self.trials),
            "caught_percent": round(100 * len(caught) / len(self.trials), 1) if self.trials else None,
            "median_ms": round(float(np.median(heard_ms))) if heard_ms else None,
            "p95_ms": round(float(np.quantile(heard_ms, 0.95))) if heard_ms else None,
            "cpu_ms_per_s": round(1000 * self.cpu_s / self.seconds, 1),
        }


def cells(seed: int, seconds: float = 60.0, users_from_s: float = 3.5) -> list[Cell]:
    """Thirty of them: three gains, delays and drifts, and three rows of what is worse than usual."""
    rooms = [
        Room(gain_db=gain_db, delay_ms=delay_ms, drift_ppm=drift_ppm)
        for gain_db, delay_ms, drift_ppm in product((0.0, -10.0, -20.0), (30, 120, 250), (0.0, 100.0, -100.0))
    ]
    rooms += [
        Room(gain_db=-6.0, delay_ms=120, clip_at=0.15),
        Room(gain_db=-6.0, delay_ms=400),
        Room(gain_db=-6.0, delay_ms=400, latency_ms=340),
    ]
    return [
        Cell(
            room=evolve(room, seed=seed * 100 + n),
            voice=VOICES[n % len(VOICES)],
            seconds=seconds,
            seed=seed * 100 + n,
            users_from_s=users_from_s,
        )
        for n, room in enumerate(rooms)
    ]


def quick(seed: int) -> list[Cell]:
    """Under half a minute of work."""
    all_cells = cells(seed, 20.0)
    return [all_cells[n] for n in (0, 13, 27)]


async def _synthesised(voice: str) -> Sound:
    async with open_synthesiser() as synthesiser:
        text = " ".join(" ".join(part) if not isinstance(part, str) else part for part in STORY)
        pcm = [chunk async for chunk in synthesiser.speak(text, voice=voice, speed=1.0)]
    return levelled(to_float(b"".join(pcm)))


def assistant(voice: str, seconds: float, seed: int) -> Sound:
    """Reads from anywhere in the story on; after 0.5 s of silence."""
    told = trio.run(_synthesised, voice)
    start = int(np.random.default_rng(seed).integers(len(told)))
    samples = round(seconds * RATE)
    story = np.tile(np.roll(told, -start), -(-samples // len(told)))
    return np.concatenate([np.zeros(RATE // 2, np.float32), story])[:samples]


def users(cell: Cell) -> tuple[Sound, list[Trial]]:
    """In one half of the cell sentences with pauses of 1.5 to 4 s, in the other nobody: first one half, then
    the other, by the seed."""
    rng = np.random.default_rng(cell.seed)
    track = np.zeros(round(cell.seconds * RATE), np.float32)
    trials: list[Trial] = []
    half_s = cell.seconds / 2
    at_s, until_s = (half_s, cell.seconds) if cell.seed % 2 else (cell.users_from_s, half_s)
    at_s += rng.uniform(0, 2)
    while True:
        level_db = float(rng.choice(LEVELS_DB))
        words = spoken(str(rng.choice(USERS)), pause_s=0.0) * np.float32(10 ** (level_db / 20))
        loud = np.flatnonzero(np.abs(words) > 0.1 * 10 ** ((level_db + ONSET_DB) / 20) * np.sqrt(2))
        begin, end = int(loud[0]), int(loud[-1])
        if at_s + end / RATE + AFTERWARDS_S > until_s:
            return track, trials
        start = round(at_s * RATE)
        track[start : start + len(words)] += words
        trials.append(Trial(begins_s=(start + begin) / RATE, ends_s=(start + end) / RATE, level_db=level_db))
        at_s += len(words) / RATE + rng.uniform(1.5, 4.0)


def interruptions(listened: Listened) -> Iterator[float]:
    """When the embedded server has heard that speech started, in seconds of the scene."""
    ear, detector = SileroEar(), TurnDetector(listening(ServerVad()))
    started_s: float | None = None
    for at_s, piece in listened.pieces:
        for probability in ear.hear(to_pcm16(piece)):
            if started_s is not None and at_s > started_s + VOICE_STOPS_S:
                detector.cut(detector.heard_ms)
                started_s = None
            if isinstance(detector.frame(probability), SpeechStarted):
                started_s = at_s
                yield at_s
        if not detector.speaking:
            started_s = None


def ducks(listened: Listened) -> Iterator[float]:
    """When the local detector has lowered the voice, as `dialogue.duck` lets it: not again while it is low,
    nor in the rest after one that the server did not confirm.
    """
    watch = OnsetWatch()
    confirmed_s = list(interruptions(listened))
    deaf_until_s, rest_s = 0.0, REST_US / 1e6
    for at_s, piece in listened.pieces:
        if not watch.begins(to_pcm16(piece), voice=True) or at_s < deaf_until_s:
            continue
        yield at_s
        if any(at_s <= heard_s <= at_s + RELEASE_US / 1e6 for heard_s in confirmed_s):
            rest_s = REST_US / 1e6
            deaf_until_s = at_s + RELEASE_US / 1e6
        else:
            deaf_until_s = at_s + RELEASE_US / 1e6 + rest_s
            rest_s = min(2 * rest_s, LONGEST_REST_US / 1e6)


Listener = Callable[[Listened], Iterable[float]]
LISTENERS: dict[str, Listener] = {"server": interruptions, "ducks": ducks}
"""Who decides from what goes out that somebody speaks: when, in seconds of the scene."""


def judged(cell: Cell, trials: Sequence[Trial], listened: Listened, listener: Listener) -> Result:
    late_s: list[float | None] = [None] * len(trials)
    false = 0
    for at_s in listener(listened):
        meant = [n for n, t in enumerate(trials) if t.begins_s <= at_s <= t.ends_s + AFTERWARDS_S]
        if not meant:
            false += 1
        elif late_s[meant[0]] is None:
            late_s[meant[0]] = at_s - trials[meant[0]].begins_s
    return Result(seconds=cell.seconds, false=false, trials=list(trials), late_s=late_s, cpu_s=listened.cpu_s)


def cancelled(sounding: Sound, heard: Sound) -> Sound:
    """What WebRTC's canceller leaves of the microphone by itself, frame by frame."""
    alone = canceller()
    assert alone is not None, "needs the extra 'aec'"
    near, far = (
        np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16) for sound in (heard, sounding)
    )
    frames = range(0, len(near) - FRAME + 1, FRAME)
    return to_float(b"".join(alone.cancel(near[at:][:FRAME], far[at:][:FRAME]).tobytes() for at in frames))


def scene(cell: Cell) -> tuple[Sound, Sound, Sound, Sound, list[Trial]]:
    """The assistant's voice, as it sounds, its echo with noise, the user, and when he speaks."""
    voice = assistant(cell.voice, cell.seconds, cell.seed)
    user, trials = users(cell)
    sounding = sounded(voice, cell.room)
    echo = cell.room.echo(sounding)
    return voice, sounding, echo, np.pad(user, (0, len(echo)))[: len(echo)], trials


def run(cell: Cell) -> dict[str, Result]:
    """By way and listener: what is heard of the user alone, of the microphone as it is, of the canceller's
    output, and of what the program sends."""
    voice, sounding, echo, user, trials = scene(cell)
    noise = np.random.default_rng(cell.seed).normal(size=len(echo)) * NOISE
    alone = listen(voice, (user + noise).astype(np.float32), cell.room, None)
    off = listen(voice, echo + user, cell.room, None)
    sent = listen(voice, echo + user, cell.room, canceller)
    left = Listened(as_they_came(cancelled(sounding, echo + user), off))
    ways = {"alone": alone, "off": off, "canceller": left, "guard": sent}
    return {
        f"{way}, {name}": judged(cell, trials, listened, listener)
        for way, listened in ways.items()
        for name, listener in LISTENERS.items()
    }


def as_they_came(sound: Sound, other: Listened) -> list[tuple[float, Sound]]:
    """The same sound in the pieces of another, at their times."""
    pieces, at = [], 0
    for at_s, piece in other.pieces:
        pieces.append((at_s, sound[at : at + len(piece)]))
        at += len(piece)
    return pieces


def named(cell: Cell) -> str:
    room = cell.room
    extras = f" {room.drift_ppm:+.0f} ppm" if room.drift_ppm else ""
    extras += " distorted" if room.clip_at else ""
    extras += " told" if room.latency_ms else ""
    return f"{room.gain_db:.0f} dB {room.delay_ms} ms{extras}"


HEADINGS = ("minutes", "false", "trials", "caught_percent", "median_ms", "p95_ms", "cpu_ms_per_s")


def row(name: str, way: str, result: Result) -> str:
    figures = result.summary()
    return f"{name:27}{way:18}" + "".join(f"{figures[h]!s:>9}" for h in HEADINGS)


def by_level(grid: Sequence[Cell], results: Sequence[Result]) -> dict[str, Result]:
    """The trials of one way by the echo's gain and the user's level."""
    levels: dict[str, Result] = {}
    for cell, result in zip(grid, results, strict=True):
        for trial, late_s in zip(result.trials, result.late_s, strict=True):
            name = f"echo {cell.room.gain_db:.0f} dB, user {trial.level_db:.0f} dB"
            levels.setdefault(name, Result(seconds=1.0)).add(Result(trials=[trial], late_s=[late_s]))
    return dict(sorted(levels.items()))


WAYS = {OURS: "guard", "the canceller alone": "canceller", "nothing": "off", "no echo": "alone"}
FALSE, CAUGHT, HEARD = "the assistant interrupts itself", "the user is caught", "the user is heard"


@cache
def _totals(brief: bool) -> dict[str, Result]:
    """The same for the same seed, whoever asks; a user who is never heard was in it."""
    totals: dict[str, Result] = {}
    for cell in [evolve(cells(1)[13], seconds=16.0)] if brief else quick(1):
        for way, result in run(cell).items():
            totals.setdefault(way, Result()).add(result)
    return totals


def _echo(contender: str, brief: bool) -> Samples:
    if missing := missing_for_aec() or missing_for_offline():
        raise CannotDo(missing)
    result = _totals(brief)[f"{WAYS[contender]}, server"]
    summary = result.summary()
    return {
        FALSE: [summary["false_per_10_minutes"]],
        CAUGHT: [summary["caught_percent"]],
        HEARD: [NEVER_MS if late is None else late * 1000 for late in result.late_s],
    }


ROWS = (
    Row(
        name="echo",
        measures="An assistant that speaks into its own microphone, and a user who speaks into that → "
        "interruptions by the server, the assistant's own and the user's, within 300 ms.",
        figures=(
            Figure(name=FALSE, unit="in 10 minutes"),
            Figure(name=CAUGHT, unit="%", more_is_better=True),
            Figure(name=HEARD, unit="ms"),
        ),
        once=_echo,
        contenders=tuple(WAYS),
        bounds=tuple(WAYS)[1:],
        rounds=1,
        quick_rounds=1,
    ),
)


def measured(grid: Sequence[Cell], jobs: int) -> list[dict[str, Result]]:
    """For each cell what `run` gives; each is printed when it is there."""
    found = []
    with ProcessPoolExecutor(jobs) as pool:
        for cell, results in zip(grid, pool.map(run, grid), strict=True):
            for way, result in results.items():
                print(row(named(cell), way, result), flush=True)
            found.append(results)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three cells of 20 s")
    parser.add_argument("--seed", type=int, default=1, help="of rooms, noises, users and when they speak")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each cell")
    parser.add_argument("--users-from", type=float, default=3.5, metavar="SECONDS", help="0.5: a cold start")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    grid = quick(options.seed) if options.quick else cells(options.seed, options.seconds, options.users_from)
    print(f"{'':45}" + "".join(f"{heading.split('_')[0]:>9}" for heading in HEADINGS))
    found = measured(grid, options.jobs)
    totals: dict[str, Result] = {}
    for results in found:
        for way, result in results.items():
            totals.setdefault(way, Result()).add(result)
    for way, result in totals.items():
        print(row("all", way, result))
    levels = {
        way: by_level(grid, [results[way] for results in found]) for way in totals if way[:5] == "guard"
    }
    for way, their in levels.items():
        for name, result in their.items():
            print(row(name, way, result))
    if options.json:
        told = {
            "seed": options.seed,
            "cells": [
                {"cell": named(cell)} | {way: result.summary() for way, result in results.items()}
                for cell, results in zip(grid, found, strict=True)
            ],
            "all": {way: result.summary() for way, result in totals.items()},
            "levels": {way: {n: r.summary() for n, r in their.items()} for way, their in levels.items()},
        }
        Path(options.json).write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
