"""`rtassist replay` with another look at a session: as text, as bars, as sound, or with one cause changed.

Each function takes the files that are meant, prints on stdout and gives the exit code of the worst.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from attrs import define, field, frozen

from rtassist import errors
from rtassist.replaying import COLOURS, printable
from rtassist.sessions import checking, notation, reading, showing
from rtassist.sessions import what_if as what_ifs
from rtassist.sessions.changes import Change, changes
from rtassist.sessions.in_time import in_time
from rtassist.sessions.properties import PROPERTIES
from rtassist.sessions.reading import Asked, Damaged, Record, Torn
from rtassist.sessions.transcript import duration
from rtassist.sessions.what_if import End
from rtassist.terminal.streams import coloured, columns, say

if TYPE_CHECKING:
    from rtassist.whole import Held


@define
class Opened:
    """A recording that is being read. `records` end where it is damaged; `problem` is then what is wrong."""

    path: Path
    header: dict[str, Any]
    records: Iterator[Record] = field(factory=lambda: iter(()))
    problem: str = ""

    def told(self) -> int:
        """Says what is wrong with it, if something is; the exit code."""
        if self.problem:
            say(f"rtassist: {self.path} is damaged: {self.problem}. What follows cannot be read.")
        return errors.EXIT_UNREADABLE if self.problem else errors.EXIT_OK


@contextmanager
def opened(path: Path, end: End | None = None) -> Iterator[Opened]:
    """The recording at this path, as far as it can be read and is wanted.

    Raises SettingsWrong for what is none.
    """
    with _file(path) as file:
        try:
            recording = Opened(path, reading.header(file.readline()))
        except Damaged as damaged:
            raise errors.SettingsWrong([f"{path} cannot be replayed so: {damaged.reason}."]) from None

        def records() -> Iterator[Record]:
            try:
                for record in in_time(reading.records(file)):
                    if isinstance(record, Asked):
                        _check(record)
                    yield record
            except Damaged as damaged:
                recording.problem = str(damaged)

        recording.records = records() if end is None else what_ifs.until(records(), end)
        yield recording


_NEEDED: Final[dict[str, dict[str, type]]] = {
    "play": {"item_id": str, "samples": int},
    "finish": {"item_id": str},
    "hush": {"item_id": str},
    "append": {"samples": int},
    "set_alarm": {"name": str},
    "awaited": {"item_id": str, "role": str},
    "said": {"item_id": str, "role": str, "words": str},
    "line_ended": dict.fromkeys(("item_id", "role", "text", "unsaid"), str) | {"cut": bool, "typed": bool},
    "call_tool": {"call_id": str, "name": str, "arguments": str},
}
"""What is read of an effect here. The exact replay compares the text of it, whatever that is."""


def _check(asked: Asked) -> None:
    """Raises Damaged for an effect that is none."""
    body = notation.parse(b"{" + asked.body)
    effect = body.get("effect", "")
    for name, kind in _NEEDED.get(effect, {}).items():
        if type(body.get(name)) is not kind:
            raise Damaged(asked.line, f"{effect} has {body.get(name)!r} as its {name}")


def _file(path: Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.SettingsWrong([f"{path} cannot be read: {reason}."]) from None


def show(arguments: Sequence[str], *, words: bool, waterfall: bool, until: End | None) -> int:
    """The conversations as text, and how long each turn waited."""
    paths = checking.paths_meant(arguments)
    code = errors.EXIT_OK
    for path in paths:
        if len(paths) > 1:
            print(printable(str(path)))
        try:
            code = max(code, _show(path, words=words, waterfall=waterfall, until=until))
        except errors.SettingsWrong as wrong:
            code = max(code, _told(wrong))
    return code


def _show(path: Path, *, words: bool, waterfall: bool, until: End | None) -> int:
    from rtassist.sessions import drawing
    from rtassist.sessions import waterfall as bars
    from rtassist.sessions.transcript import transcript

    code = errors.EXIT_OK
    if words:
        with opened(path, until) as recording:
            _print(drawing.show_lines(transcript(recording.records), columns(), colour=coloured(sys.stdout)))
            code = recording.told()
    if waterfall:
        with opened(path, until) as recording:
            waits = bars.waits(recording.records, recording.header)
            _print(bars.lines(waits, columns(), colour=coloured(sys.stdout)))
            code = code if words else recording.told()
    return code


def _told(wrong: errors.SettingsWrong) -> int:
    """Says what cannot be used, behind what was printed before it; the exit code."""
    sys.stdout.flush()
    say(f"rtassist: {wrong}")
    return wrong.exit_code


def render(arguments: Sequence[str], out: Path, *, until: End | None, ducked: float) -> int:
    """One recording as a stereo file, on the session's own timeline."""
    import soundfile

    from rtassist.sessions.files import private
    from rtassist.sessions.rendering import SAMPLE_RATE, rendered
    from rtassist.sessions.sound import Sound

    path = one_path(arguments, "--render")
    if out.suffix.lower() not in (".wav", ".flac"):
        raise errors.SettingsWrong([f"--render is {out}: must end in .wav or .flac."])
    if os.path.lexists(out):
        raise errors.SettingsWrong([f"{out} is there already and is not written over. Name a new file."])
    samples = 0
    try:
        with opened(path, until) as recording, Sound(path) as sound:
            with (
                open(out, "xb", opener=private) as file,
                soundfile.SoundFile(
                    file, "w", SAMPLE_RATE, 2, "PCM_16", format=out.suffix[1:].upper()
                ) as track,
            ):
                for block in rendered(recording.records, sound, ducked=ducked):
                    track.write(block)
                    samples += len(block)
            say_missing(sound.mic_missing, sound.voice_missing)
            code = recording.told()
    except (OSError, soundfile.SoundFileError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise errors.SettingsWrong([f"{out} cannot be written: {reason}."]) from None
    print(f"{out}: {samples / SAMPLE_RATE:.1f} s, microphone left, assistant right")
    return code


@frozen
class WhatIf:
    """One cause that is to be changed; `said` in the words of the flags."""

    said: str
    end: End | None = None
    barge_in_us: int | None = None
    delay_us: int = 0
    drop_playback: bool = False


def what_if(arguments: Sequence[str], wish: WhatIf, *, every: bool) -> int:
    """What would be asked for otherwise. A what-if is no failure: what it finds has the exit code 0.

    Moments that differ in nothing but sound are counted, and shown only where `every` one is wanted.
    """
    path = one_path(arguments, wish.said)
    gone: Counter[str] = Counter()
    fresh: Counter[str] = Counter()
    moments = shown = 0
    with opened(path, wish.end) as recording:
        last = _Last()
        steps = what_ifs.steps(last.watch(recording.records))
        if wish.barge_in_us is not None:
            steps = what_ifs.barge_in(steps, wish.barge_in_us)
        if wish.delay_us:
            steps = what_ifs.slower(steps, wish.delay_us)
        if wish.drop_playback:
            steps = what_ifs.without_playback(steps)
        for change in changes(steps, reported=not wish.drop_playback):
            moments += 1
            was = Counter(map(_kind, change.difference.at.effects))
            now = Counter(map(_kind, change.difference.now))
            gone += was - now
            fresh += now - was
            if every or {*was, *now} - {"play", "append"}:
                shown += 1
                _print_change(change)
        code = recording.told()
    if wish.barge_in_us is not None and last.us < wish.barge_in_us and not recording.problem:
        raise errors.SettingsWrong(
            [f"--barge-at is behind the end of the recording, at {showing.seconds(last.us)}."]
        )
    print(f"{path}, {wish.said}: {moments or 'no'} {'moment differs' if moments == 1 else 'moments differ'}")
    if shown < moments:
        print(f"  {moments - shown} of them in sound alone (--all shows them)")
    for what, counted in (("no longer asked for", gone), ("asked for now", fresh)):
        if counted:
            print(f"  {what}: {', '.join(f'{count} × {kind}' for kind, count in sorted(counted.items()))}")
    return code


async def whole(arguments: Sequence[str], *, until: End | None, clock_s: Callable[[], float]) -> int:
    """Hold each conversation again, under a virtual clock; exit code 1 where a property does not hold."""
    from rtassist.sessions.sound import Sound
    from rtassist.whole import hold_again

    code, any_held = errors.EXIT_OK, False
    for path in checking.paths_meant(arguments):
        began_s = clock_s()
        try:
            with opened(path, until) as recording, Sound(path) as sound:
                held = await hold_again(recording.records, sound)
                for line in whole_lines(str(path), held, clock_s() - began_s):
                    print(printable(line))
                code = max(code, recording.told(), errors.EXIT_DIFFERENT if held.breaks else errors.EXIT_OK)
                any_held = True
        except errors.SettingsWrong as wrong:
            code = max(code, _told(wrong))
    if any_held:
        _print(f"{name}  {meaning}" for name, meaning in PROPERTIES.items())
    return code


def whole_lines(path: str, held: Held, took_s: float) -> list[str]:
    """What was checked, how often, and where it did not hold."""
    found = "every property holds" if not held.breaks else "a property is broken"
    recorded_s = held.recorded_us / 1_000_000
    speed = f", {recorded_s / took_s:,.0f} times as fast" if took_s else ""
    counts = "  ".join(f"{name} {held.checks[name]:,}" for name in PROPERTIES)
    lines = [
        f"{path}: {found}; {duration(held.recorded_us)} held again in {took_s:.1f} s{speed}",
        f"  checks  {counts}",
        *(f"  {each.property} is broken at {showing.seconds(each.us)}: {each.what}" for each in held.breaks),
    ]
    if held.gaps:
        lines.append(f"  note: behind a gap nobody knows what happened: {held.gaps} not held to the end")
    return lines


@define
class _Last:
    us: int = 0

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if not isinstance(record, Torn):
                self.us = reading.until_us(record)
            yield record


def _print_change(change: Change) -> None:
    width, colour = columns() or 100, coloured(sys.stdout)
    head, *rest = showing.diff(change.difference, width)
    print(printable(head if change.happens else f"{head}  (does not happen)"))
    for line in rest:
        shade = COLOURS.get(line[:1]) if colour else None
        print(f"{shade}{printable(line)}\x1b[0m" if shade else printable(line))


def _kind(text: str) -> str:
    """`{"effect":"hush",…}` → `hush`, `{"client":{"type":…` → the type."""
    body = notation.parse(text.encode())
    return str(body["client"].get("type") if "client" in body else body["effect"])


def one_path(arguments: Sequence[str], flag: str) -> Path:
    """The one recording that is meant. Raises SettingsWrong."""
    paths = checking.paths_meant(arguments)
    if len(paths) != 1:
        raise errors.SettingsWrong([f"{flag} takes one recording; these are {len(paths)}."])
    return paths[0]


def say_missing(mic_samples: int, voice_samples: int) -> None:
    """Both at 24 kHz. What is not recorded, or was redacted, is silent."""
    missing = [
        f"{samples / 24_000:.1f} s of {what}"
        for samples, what in ((mic_samples, "the microphone"), (voice_samples, "the assistant"))
        if samples
    ]
    if missing:
        say(f"Silent, for there is no sound of it: {' and '.join(missing)}.")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
