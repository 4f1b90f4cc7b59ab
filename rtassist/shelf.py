"""What is done with recordings from the command line: listed, shown, searched, exported, redacted, deleted,
compared, and gone on with. Each command prints on stdout and gives its exit code.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from rtassist import errors
from rtassist.dialogue.terms import Turn
from rtassist.recording import SUFFIX, sessions_folder
from rtassist.sessions import reading, repository
from rtassist.sessions.disk import AUDIO, Disk, copy_private, write_private
from rtassist.sessions.reading import Damaged, Record
from rtassist.sessions.repository import Kept, NotKept, State
from rtassist.sessions.transcript import Transcript, transcript
from rtassist.settings import Settings, Trust
from rtassist.terminal.streams import coloured, columns, drop, say


def folder(settings: Settings) -> Path:
    """Where recordings lie: the folder that is recorded to, or the usual one."""
    if isinstance(settings.record, str):
        path = _path(settings.record)
        if path.suffix != SUFFIX or os.path.isdir(path):
            return path
    return sessions_folder()


def _path(name: str) -> Path:
    """By os.path, which takes any text: what cannot be looked at is not there."""
    return Path(os.path.abspath(os.path.expanduser(name)))


@frozen
class Chosen:
    """A recording that was named."""

    disk: Disk
    id: str

    @property
    def path(self) -> Path:
        return self.disk.path(self.id)


def chosen(settings: Settings, name: str) -> Chosen:
    """By the beginning of its id, as `last`, or by its file. Raises NotKept, Ambiguous."""
    path = _path(name)
    if (name.endswith(SUFFIX) or os.sep in name) and os.path.isfile(path):
        if path.suffix != SUFFIX:
            raise NotKept(f"{path} is no recording: their names end in {SUFFIX}.")
        return Chosen(Disk(path.parent), path.stem)
    disk = Disk(folder(settings))
    return Chosen(disk, disk.find(name))


def list_sessions(settings: Settings, *, as_json: bool) -> int:
    """The newest first."""
    kept = Disk(folder(settings)).all()
    if as_json:
        from rtassist.sessions import exporting

        return _print_json([exporting.values(one) for one in kept])
    if not kept:
        say(f"There are no recordings in {folder(settings)} yet; `rtassist talk` makes one.")
        return errors.EXIT_OK
    from rtassist.sessions import drawing

    return _print(drawing.list_lines(kept, columns(), colour=coloured(sys.stdout)))


def show(settings: Settings, name: str, *, as_json: bool) -> int:
    """The conversation of one. Of a damaged one as much as can be read, and then exit code 2."""
    one = chosen(settings, name)
    kept, told, problem = _read(one)
    if as_json:
        from rtassist.sessions import exporting

        code = _print_json(exporting.conversation_values(kept, told))
    else:
        from rtassist.sessions import drawing

        lines = drawing.title_lines(kept, columns(), colour=coloured(sys.stdout))
        code = _print([*lines, *drawing.show_lines(told, columns(), colour=coloured(sys.stdout))])
    if problem:
        say(f"rtassist: {one.id} is damaged: {problem}. What follows cannot be read.")
    return code or (errors.EXIT_UNREADABLE if problem else 0)


def search(settings: Settings, words: str, *, as_json: bool) -> int:
    """Lines with all of the words; exit code 1 where there are none, as grep has it."""
    matches = Disk(folder(settings)).search(words)
    if as_json:
        code = _print_json([attrs.asdict(match) for match in matches])
    elif matches:
        from rtassist.sessions import drawing

        code = _print(drawing.match_lines(matches, words, columns(), colour=coloured(sys.stdout)))
    else:
        code = 0
        say(f"No line has all of these words: {words}")
    return code or (0 if matches else errors.EXIT_DIFFERENT)


def export(settings: Settings, name: str, *, format: str, out: Path | None) -> int:
    """The conversation as a document on stdout, or in a file."""
    from rtassist.sessions.exporting import FORMATS

    if format not in FORMATS:
        raise errors.SettingsWrong([f"--format is {format!r}: must be one of {', '.join(FORMATS)}."])
    one = chosen(settings, name)
    kept, told, problem = _read(one)
    document = FORMATS[format](kept, told)
    if out is None:
        code = _print([document.removesuffix("\n")])
    else:
        _new(out)
        write_private(out.absolute(), [document.encode(errors="replace")])
        code = 0
    if problem:
        say(f"rtassist: {one.id} is damaged: {problem}. What follows is not in it.")
    return code or (errors.EXIT_UNREADABLE if problem else 0)


def redact(
    settings: Settings, name: str, *, text: bool, audio: bool, out: Path | None, in_place: bool
) -> int:
    """Take out words, sound, or both when neither is named; what is left replays as it did."""
    from rtassist.sessions.redacting import CannotRedact, Redaction
    from rtassist.sessions.replay import Different, replay

    if out is not None and in_place:
        raise errors.SettingsWrong(["--in-place changes the recording, and --out another. Leave out one."])
    one = chosen(settings, name)
    text, audio = (text, audio) if text or audio else (True, True)
    path = one.path if in_place else (out or Path(f"{one.id}-redacted{SUFFIX}")).absolute()
    if path.suffix != SUFFIX:
        raise errors.SettingsWrong([f"--out is {out}: must end in {SUFFIX}, as recordings do."])
    there = {_beside(one.path, ending): _beside(path, ending) for ending in AUDIO}
    if in_place:
        one.disk.check_over(one.id)
    else:
        _new(path, *([] if audio else there.values()))
    sound = {source: copy for source, copy in there.items() if source.is_file()}
    try:
        if text and isinstance(found := replay(one.disk.load(one.id)), Different):
            raise CannotRedact(found.difference.at.line, "as it is, it does not replay equal")
        with _copied({} if audio or in_place else sound):
            redaction = Redaction(one.disk.load(one.id), text=text, audio=audio)
            if in_place:
                one.disk.save(one.id, redaction.lines())
            else:
                write_private(path, redaction.lines())
    except Damaged as damaged:
        raise _damaged(one, damaged) from None
    if audio and in_place:
        one.disk.drop_audio(one.id)
    what = " and ".join(name for name, gone in (("words", text), ("sound", audio)) if gone)
    say(f"Without its {what}: {path}")
    if redaction.kept:
        say(f"Left as they are, for they are commands: {', '.join(redaction.kept)}")
    return errors.EXIT_OK


def remove(settings: Settings, names: Sequence[str], *, yes: bool) -> int:
    """Delete recordings with their sound; asked first, on a terminal, unless it is said to be meant."""
    each = {(one := chosen(settings, name)).path: one for name in names}.values()
    for one in each:
        one.disk.check_over(one.id)
    if not yes:
        if not sys.stdin.isatty():
            raise errors.SettingsWrong(["Nobody can be asked here whether that is meant: --yes says so."])
        ids = ", ".join(one.id for one in each)
        what = ids if len(each) == 1 else f"{len(each)} recordings ({ids})"
        print(f"Delete {what}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("Nothing is deleted.")
            return errors.EXIT_DIFFERENT
    for one in each:
        one.disk.forget(one.id)
    return errors.EXIT_OK


def diff(settings: Settings, a: str, b: str, *, as_json: bool, tolerance_ms: int) -> int:
    """Two recordings, aligned by what the user said. Exit code 0: alike, 1: different."""
    from rtassist.sessions import comparing

    sides = []
    for one in (chosen(settings, a), chosen(settings, b)):
        try:
            sides.append(comparing.turns(_records(one)))
        except Damaged as damaged:
            raise _damaged(one, damaged) from None
    pairs = comparing.compared(sides[0], sides[1], tolerance_ms)
    alike = all(pair.alike for pair in pairs)
    if as_json:
        code = _print_json(comparing.values(pairs))
    elif alike:
        code = _print([f"Alike in all of their {len(pairs)} turns."])
    else:
        from rtassist.sessions import drawing

        code = _print(drawing.difference_lines(pairs, columns(), colour=coloured(sys.stdout)))
    return code or (0 if alike else errors.EXIT_DIFFERENT)


def resumed(settings: Settings) -> tuple[Settings, tuple[Turn, ...]]:
    """The settings with the whole id of the recording to go on with, and what was said in it.

    Raises NotKept, Ambiguous; but where a file or the environment asks for the last one and there is none
    yet, a new conversation begins.
    """
    if settings.resume is None:
        return settings, ()
    from rtassist.sessions.seeding import history

    try:
        one = chosen(settings, settings.resume)
    except NotKept:
        if settings.resume == repository.NEWEST and settings.source("resume").trust is not Trust.FLAG:
            return attrs.evolve(settings, resume=None), ()
        raise
    _, told, _ = _read(one)
    return attrs.evolve(settings, resume=one.id), history(told)


def another(settings: Settings, name: str, current: str) -> tuple[Settings, tuple[Turn, ...]]:
    """`resumed` in the middle of a conversation, which is being recorded as `current`: `last` is the one
    before it. Raises NotKept, Ambiguous.
    """
    if name == repository.NEWEST:
        others = [kept.id for kept in Disk(folder(settings)).all() if kept.id != current]
        if not others:
            raise NotKept(f"There is no earlier recording in {folder(settings)}.")
        name = others[0]
    return resumed(attrs.evolve(settings, resume=name))


def save_copy(source: Path, out: Path) -> None:
    """The recording so far, or by the ending of `out` the conversation as a document. Raises Failure."""
    from rtassist.sessions.exporting import FORMATS

    format = out.suffix.removeprefix(".")
    if format not in FORMATS and out.suffix != SUFFIX:
        endings = ", ".join(f".{each}" for each in FORMATS)
        raise errors.Failure(f"{out} must end in {SUFFIX} (the recording) or {endings} (the conversation).")
    _new(out)
    one = Chosen(Disk(source.parent), source.stem)
    if out.suffix == SUFFIX:
        write_private(out, (line for line in one.disk.load(one.id) if line.endswith(b"\n")))
    else:
        kept, told, _ = _read(one)
        write_private(out, [FORMATS[format](kept, told).encode(errors="replace")])


def _read(one: Chosen) -> tuple[Kept, Transcript, str]:
    """What is known of it, the conversation as far as it can be read, and what is wrong behind that.

    Raises Failure.
    """
    kept = one.disk.kept(one.id)
    problems: list[str] = []

    def whole(records: Iterable[Record]) -> Iterator[Record]:
        try:
            yield from records
        except Damaged as damaged:
            problems.append(str(damaged))

    if kept.state is State.FOREIGN:
        raise NotKept(f"{one.path} is no recording that can be read here: {kept.problem}.")
    if not kept.duration_us and kept.state is State.UNFINISHED and kept.problem:
        raise NotKept(f"There is nothing in {one.id}: {kept.problem}.")
    try:
        return kept, transcript(whole(_records(one))), "".join(problems)
    except Damaged as damaged:
        return kept, Transcript(), str(damaged)


def _records(one: Chosen) -> Iterator[Record]:
    lines = one.disk.load(one.id)
    reading.header(next(lines, b""))
    yield from reading.records(lines)


def _damaged(one: Chosen, damaged: Damaged) -> errors.Failure:
    return NotKept(f"{one.path} cannot be read: {damaged}.")


@contextmanager
def _copied(sound: Mapping[Path, Path]) -> Iterator[None]:
    """These files, each with the place of its copy, are copied; not where what is done then fails."""
    written = []
    try:
        for source, copy in sound.items():
            copy_private(source, copy)
            written.append(copy)
        yield
    except BaseException:
        for copy in written:
            copy.unlink(missing_ok=True)
        raise


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.stem + ending)


def _new(*paths: Path) -> None:
    for path in paths:
        if os.path.lexists(path):
            raise errors.SettingsWrong([f"{path} is there already and is not written over. Name a new file."])


def _print_json(value: Any) -> int:
    return _print([json.dumps(value, ensure_ascii=False, indent=2)])


def _print(lines: Iterable[str]) -> int:
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        drop(sys.stdout)
        return errors.EXIT_OUTPUT_CLOSED
    return errors.EXIT_OK
