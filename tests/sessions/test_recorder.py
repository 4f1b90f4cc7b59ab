"""What the ring notes is on the disk, in its order, and no disk holds up the ring."""

import os
import random
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from rtassist.dialogue import effects, events
from rtassist.dialogue.terms import Terms
from rtassist.protocol import InputAudioBufferAppend, Session, encode
from rtassist.protocol import ResponseOutputAudioDelta as AudioDelta
from rtassist.sessions import reading
from rtassist.sessions.files import private_folder
from rtassist.sessions.reading import Ended, Gap, Happened, Heard
from rtassist.sessions.recorder import Recorder
from rtassist.sessions.sound import Sound

TERMS = Terms(session=Session(type="realtime"))
NOISE = random.Random(1).randbytes(96_000)
unix = pytest.mark.skipif(sys.platform == "win32", reason="rights, pipes and limits as Unix has them")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.jsonl"


def chunk(number: int) -> bytes:
    return NOISE[number % 100 * 960 :][:960]


def hear(recording: Recorder, number: int) -> None:
    pcm = chunk(number)
    recording.note(number * 20_000, events.MicHeard(pcm))
    recording.note(number * 20_000, effects.Send(InputAudioBufferAppend(audio=pcm)))


def say(recording: Recorder, number: int) -> None:
    said = AudioDelta(response_id="r", item_id="i", output_index=0, content_index=0, delta=chunk(number))
    recording.note(number * 20_000, events.ServerSaid(said, encode(said)))


def read(path: Path) -> list[reading.Record]:
    with path.open("rb") as lines:
        reading.header(next(lines))
        return list(reading.records(lines))


def open_one(path: Path, warnings: list[str], **more: object) -> Recorder:
    return Recorder(path, about={"id": path.stem}, warn=warnings.append, clock=lambda: 0.0, **more)  # type: ignore[arg-type]  # what Recorder takes


def test_lines_and_sound_are_on_the_disk(path: Path) -> None:
    with closing(Recorder(path, about={"id": "call"}, warn=pytest.fail)) as recording:
        recording.begin(TERMS)
        for number in range(60):
            hear(recording, number)
            if number % 10 == 9:
                say(recording, number)
                recording.note(number * 20_000, events.Typed(f"line {number}"))
    begun, *middle, ended = read(path)
    assert isinstance(begun, reading.Begun)
    assert [type(record).__name__ for record in middle] == ["Happened", "Heard", "Happened"] * 6
    assert isinstance(ended, Ended)
    assert (ended.mic_samples, ended.voice_samples) == (60 * 480, 6 * 480)
    with Sound(path) as sound:
        assert sound.mic(0, 60 * 480) == b"".join(chunk(n) for n in range(60))
        assert sound.voice(480, 480) == chunk(19)
        assert (sound.mic_missing, sound.voice_missing) == (0, 0)


def test_what_is_pending_is_written_when_the_conversation_crashes(path: Path) -> None:
    def crash() -> None:
        with closing(Recorder(path, about={}, warn=pytest.fail)) as recording:
            recording.begin(TERMS)
            hear(recording, 0)
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        crash()
    _, run, ended = read(path)
    assert isinstance(run, Heard)
    assert run.appended
    assert isinstance(ended, Ended)


def test_without_audio_there_are_lines_alone(path: Path) -> None:
    with closing(Recorder(path, about={}, warn=pytest.fail, audio=False)) as recording:
        recording.begin(TERMS)
        hear(recording, 0)
        say(recording, 0)
    assert [file.name for file in path.parent.iterdir()] == ["call.jsonl"]
    assert len(read(path)) == 4


def test_without_the_sound_library_there_are_lines_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    warnings: list[str] = []
    recording = open_one(path, warnings)
    recording.begin(TERMS)
    hear(recording, 0)
    recording.close()
    assert len(read(path)) == 3
    (warning,) = warnings
    assert "soundfile" in warning


@unix
@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_the_files_are_private_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        path = tmp_path / "new" / "call.jsonl"
        (tmp_path / "new").parent.chmod(0o700)
        private_folder(path.parent, tighten=False)
        with closing(Recorder(path, about={}, warn=pytest.fail)) as recording:
            recording.begin(TERMS)
            hear(recording, 0)
            say(recording, 0)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    rights = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert rights == dict.fromkeys(("call.jsonl", "call.mic.flac", "call.voice.flac"), 0o600)


@unix
def test_our_own_folder_is_made_private_again_and_anothers_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path, tighten=False)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    private_folder(tmp_path, tighten=True)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_nothing_is_written_over(path: Path) -> None:
    path.write_text("a recording of somebody's")
    with pytest.raises(FileExistsError):
        open_one(path, [])
    assert path.read_text() == "a recording of somebody's"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is of Linux")
def test_a_full_disk_is_told_once_and_stops_nothing(path: Path) -> None:
    warnings: list[str] = []
    recording = open_one(path, warnings, opener=lambda path, flags: os.open("/dev/full", os.O_WRONLY))
    recording.begin(TERMS)
    for number in range(2000):
        hear(recording, number)
        say(recording, number)
    recording.close()
    assert warnings == ["The recording is not complete: no space left on device. The conversation goes on."]


@unix
def test_behind_a_gap_lines_and_sample_numbers_are_right(path: Path) -> None:
    """A limit on the size of files is lifted after a while, as a disk has room again."""
    program = """
        import resource, sys
        from pathlib import Path
        from rtassist.dialogue import events
        from tests.sessions.test_recorder import TERMS, hear, open_one

        warnings = []
        recording = open_one(Path(sys.argv[1]), warnings)

        def written():
            while recording._backlog.done_bytes < recording._backlog._put_bytes:
                pass

        recording.begin(TERMS)
        for number in range(300):
            if number in (100, 200):
                written()
                limit = {100: 30_000, 200: resource.RLIM_INFINITY}[number]
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            hear(recording, number)
            recording.note(number * 20_000, events.Typed(f"{number} " + "x" * 200))
        recording.close()
        print(*warnings)
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout == "The recording is not complete: file too large. The conversation goes on.\n"

    records = read(path)
    (gap,) = [at for at, record in enumerate(records) if isinstance(record, Gap)]
    lost = records[gap]
    assert isinstance(lost, Gap)
    assert len(records) - 1 + lost.lines == 300 * 2 + 2
    after = records[gap + 1]
    assert isinstance(after, Happened | Heard)
    assert lost.us <= after.us
    with Sound(path) as sound:
        for record in records:
            if isinstance(record, Heard):
                number = record.run[0] // 480
                assert record.us == number * 20_000
                if not 95 <= number < 205:
                    assert sound.mic(*record.run) == chunk(number)
        assert sound.mic(150 * 480, 480) == bytes(960)


@pytest.fixture
def slow() -> Iterator[tuple[int, int]]:
    """A pipe in place of a disk, full of zeros: it takes nothing until somebody reads."""
    ends = os.pipe()
    os.set_blocking(ends[1], False)
    with suppress(BlockingIOError):
        while True:
            os.write(ends[1], bytes(4096))
    os.set_blocking(ends[1], True)
    yield ends
    os.close(ends[0])


@unix
def test_a_slow_disk_costs_a_gap_and_no_time(path: Path, slow: tuple[int, int]) -> None:
    taken, disk = slow
    warnings: list[str] = []
    recording = open_one(path, warnings, audio=False, backlog_bytes=100_000, opener=lambda path, flags: disk)
    recording.begin(TERMS)
    for number in range(3000):
        recording.note(number, events.Typed(f"{number} " + "x" * 90))
    assert warnings == ["The recording is not complete: the disk is too slow. The conversation goes on."]

    text = bytearray()
    os.set_blocking(taken, False)
    while recording._backlog.done_bytes < recording._backlog._put_bytes:
        with suppress(BlockingIOError):
            text += os.read(taken, 65_536)
    recording.note(3000, events.Interrupted())
    recording.close()
    while part := os.read(taken, 65_536):
        text += part
    records = list(reading.records(bytes(text.lstrip(b"\0")).splitlines(keepends=True)[1:]))
    gaps = [record for record in records if isinstance(record, Gap)]
    assert len(records) == 1 + 3000 - sum(gap.lines for gap in gaps) + len(gaps) + 2
    assert records[-3] is gaps[-1]
    assert gaps[-1].us == 2999
    assert isinstance(records[-2], Happened)
    assert len(warnings) == 1


@unix
def test_what_is_lost_up_to_the_end_leaves_a_gap(path: Path, slow: tuple[int, int]) -> None:
    taken, disk = slow
    recording = open_one(path, [], audio=False, backlog_bytes=100_000, opener=lambda path, flags: disk)
    recording.begin(TERMS)
    for number in range(3000):
        recording.note(number, events.Typed(f"{number} " + "x" * 90))
    recording.close()
    text = bytearray()
    while part := os.read(taken, 65_536):
        text += part
    *records, gap = reading.records(bytes(text.lstrip(b"\0")).splitlines(keepends=True)[1:])
    assert isinstance(gap, Gap)
    assert len(records) + gap.lines == 1 + 3000 + 1, "the beginning, all, and the end"


@unix
def test_a_disk_that_hangs_does_not_hold_up_the_end(path: Path, slow: tuple[int, int]) -> None:
    warnings: list[str] = []
    recording = open_one(path, warnings, audio=False, opener=lambda path, flags: slow[1])
    recording.begin(TERMS)
    for number in range(1000):
        recording.note(number, events.Typed("x" * 200))
    recording.close()
    (warning,) = warnings
    assert "the disk does not answer" in warning
    while os.read(slow[0], 65_536):  # until the writer has closed its end
        pass


def test_what_the_writer_died_of_is_raised(path: Path) -> None:
    recording = open_one(path, [])
    recording.begin(TERMS)
    recording._backlog.pieces.put("nonsense")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(AttributeError):
        recording.close()
