import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
import trio
import trio.testing

from rtassist.audio import SoundUnavailable
from rtassist.audio import pipes as pipes_module
from rtassist.audio.patience import Patience
from rtassist.audio.pipes import PipeMicrophone, open_pipe_microphone, open_pipe_speaker
from tests.audio.test_files import counting, everything, say

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="waits for pipes, which Windows cannot")


@pytest.fixture
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """(reading end, writing end)"""
    reading, writing = os.pipe()
    with FileIO(reading, "rb") as source, FileIO(writing, "wb") as sink:
        yield source, sink


async def test_what_comes_at_once_is_heard_at_real_time(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    sound = counting(24_000)
    pipe[1].write(sound)
    pipe[1].close()
    async with open_pipe_microphone(pipe[0].fileno()) as microphone:
        assert not microphone.live
        chunks = await everything(microphone)
    assert b"".join(chunks) == sound
    assert {len(c) for c in chunks} == {960}
    assert trio.current_time() == pytest.approx(0.98)


async def test_what_comes_as_it_is_recorded_is_not_delayed(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    async with open_pipe_microphone(pipe[0].fileno()) as microphone:
        for n in range(10):
            await trio.sleep(0.02)
            pipe[1].write(counting(480, start=n))
            assert await microphone.read() == counting(480, start=n)
            assert trio.current_time() == pytest.approx(0.02 * (n + 1))


@pytest.mark.parametrize(("recording_s", "ahead_s"), [(0.0, 0.0), (0.3, 0.3), (0.7, 0.5)])
async def test_what_was_recorded_before_it_was_read_makes_the_rest_no_later(
    recording_s: float, ahead_s: float, pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    """Half a second is in the pipe. What may have been recorded since the start is heard at once."""
    await trio.sleep(1)
    pipe[1].write(counting(12_000))
    async with open_pipe_microphone(pipe[0].fileno(), recording_s=recording_s) as microphone:
        for n in range(25):
            assert await microphone.read() == counting(480, start=1 + 480 * n)
            assert trio.current_time() == pytest.approx(1 + max(0.0, 0.02 * n - ahead_s))


async def test_fast_waits_for_nothing_and_half_a_sample_at_the_end_is_dropped(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    pipe[1].write(counting(700) + b"x")
    pipe[1].close()
    async with open_pipe_microphone(pipe[0].fileno(), fast=True) as microphone:
        assert b"".join(await everything(microphone)) == counting(700)
    assert trio.current_time() == 0


async def test_a_regular_file_and_no_input_at_all_can_be_standard_input(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    (tmp_path / "in.raw").write_bytes(counting(1000))
    for path, want in [(tmp_path / "in.raw", counting(1000)), (Path(os.devnull), b"")]:
        with path.open("rb") as file:
            async with open_pipe_microphone(file.fileno()) as microphone:
                assert b"".join(await everything(microphone)) == want


async def test_the_thread_that_reads_where_a_pipe_cannot_be_waited_for(pipe: tuple[FileIO, FileIO]) -> None:
    sound = counting(20_000)
    async with pipes_module._read_by_thread(pipe[0].fileno()) as receive:
        microphone = pipes_module.PipeMicrophone(receive, fast=True)
        pipe[1].write(sound)
        first = await microphone.read()
        with trio.CancelScope() as scope:
            scope.cancel()
            await microphone.read()
        pipe[1].close()
        assert first + b"".join(await everything(microphone)) == sound


@pytest.mark.parametrize("opening", [open_pipe_microphone, open_pipe_speaker])
async def test_a_terminal_is_refused(opening: object) -> None:
    assert callable(opening)
    main, terminal = os.openpty()
    try:
        with pytest.raises(SoundUnavailable, match="is a terminal"):
            async with opening(terminal):
                pass
    finally:
        os.close(main)
        os.close(terminal)


async def test_the_speaker_pipe_runs_at_real_time_with_silence_between(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    async with open_pipe_speaker(pipe[1].fileno()) as speaker:
        await trio.sleep(0.05)
        await say(speaker, counting(1000))
        assert trio.current_time() < 0.09
        await speaker.drain()
        assert speaker.heard() == speaker.handed() == 1000
        await trio.sleep(0.1)
        sent = pipe[0].read(1 << 16)
    assert len(sent) == pytest.approx(trio.current_time() * 48_000, abs=960)
    assert sent.strip(b"\0") == counting(1000).strip(b"\0")
    assert sent.startswith(bytes(960 * 3))
    assert sent.endswith(bytes(960 * 4))


async def test_a_flush_takes_back_all_but_the_block_on_its_way(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    async with open_pipe_speaker(pipe[1].fileno()) as speaker:
        await say(speaker, counting(4800))
        taken_back = speaker.flush()
        await trio.sleep(1)
        sent = pipe[0].read(1 << 16)
        assert speaker.heard() == speaker.handed() == 4800 - taken_back
        assert taken_back >= 480
        assert sent.strip(b"\0") == counting(4800 - taken_back).strip(b"\0")


async def test_a_gain_is_for_the_blocks_that_were_not_sent(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    async with open_pipe_speaker(pipe[1].fileno(), fast=True) as speaker:
        await speaker.play(b"\x08\0" * 480)
        await speaker.drain()
        speaker.fade_to(0.25)
        await speaker.play(b"\x08\0" * 480)
        await speaker.drain()
        sent = pipe[0].read(1 << 16)
        assert speaker.heard() == 960
    assert sent[:960] == b"\x08\0" * 480
    assert sent[960:].endswith(b"\x02\0" * 390)


async def test_a_reader_who_stops_stops_the_clock(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    sound = bytes(960)
    async with open_pipe_speaker(pipe[1].fileno()) as speaker:
        with trio.move_on_after(10):
            while True:
                await speaker.play(sound)
        stopped_at = speaker.heard()
        assert stopped_at * 2 <= 1 << 16
        assert speaker.handed() - stopped_at < 480 * 3
        pipe[0].read(1 << 16)
        await trio.sleep(0.1)
        await speaker.drain()
        assert stopped_at < speaker.heard() == speaker.handed()


async def test_fast_is_the_voice_alone(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    async with open_pipe_speaker(pipe[1].fileno(), fast=True) as speaker:
        await trio.sleep(1)
        await say(speaker, counting(4800))
        await speaker.drain()
    assert trio.current_time() == 1
    assert pipe[0].read(1 << 16) == counting(4800)


async def test_a_reader_who_went_away_is_said(
    pipe: tuple[FileIO, FileIO], autojump_clock: trio.testing.MockClock
) -> None:
    async with open_pipe_speaker(pipe[1].fileno()) as speaker:
        await speaker.play(counting(480))
        pipe[0].close()
        with pytest.raises(SoundUnavailable, match="the program that read it has ended"):
            await say(speaker, counting(24_000))
        with pytest.raises(SoundUnavailable):
            await speaker.drain()
        assert speaker.flush() >= 0
        assert speaker.heard() == speaker.handed()


async def test_an_error_in_the_conversation_leaves_as_it_is(pipe: tuple[FileIO, FileIO]) -> None:
    with pytest.raises(KeyError):
        async with open_pipe_speaker(pipe[1].fileno()):
            raise KeyError


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
async def test_a_full_disk_is_said(autojump_clock: trio.testing.MockClock) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        async with open_pipe_speaker(full) as speaker:
            with pytest.raises(SoundUnavailable, match="no space left on device"):
                await say(speaker, counting(24_000))
    finally:
        os.close(full)


def test_the_pipe_keeps_its_mode() -> None:
    """O_NONBLOCK is shared with every program that has the same pipe, and breaks those."""
    program = """
import os, trio
from rtassist.audio.patience import Patience
from rtassist.audio.pipes import PipeMicrophone, open_pipe_microphone, open_pipe_speaker
async def main():
    async with open_pipe_microphone(0, fast=True) as microphone, open_pipe_speaker(1, fast=True) as speaker:
        await speaker.play(await microphone.read())
        await speaker.drain()
        print(os.get_blocking(0), os.get_blocking(1), file=__import__("sys").stderr)
trio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input=counting(480), capture_output=True, check=True, timeout=60
    )
    assert done.stdout == counting(480)
    assert done.stderr.split() == [b"True", b"True"]


async def test_what_waits_for_a_sound_comes_at_the_end_at_the_latest(autojump_clock: object) -> None:
    """2 s of noise in chunks of 20 ms, then all that is left, in pieces of 100 ms and the rest."""
    noise = np.random.default_rng(1).integers(-30, 30, 24_000 * 223 // 100).astype("<i2").tobytes()
    blocks = deque([noise])

    async def receive() -> bytes:
        await trio.lowlevel.checkpoint()
        return blocks.popleft() if blocks else b""

    microphone = pipes_module.PipeMicrophone(receive, fast=False, patience=Patience())
    pieces = [await microphone.read() for _ in range(102)]
    with pytest.raises(trio.EndOfChannel):
        await microphone.read()
    assert b"".join(pieces) == noise
    assert [len(piece) // 48 for piece in pieces] == [20] * 99 + [100, 100, 50]


@pytest.mark.parametrize(("urgent", "late_s"), [(True, 0.0), (False, 0.1)])
async def test_silence_is_read_seldom_where_nothing_can_be_interrupted(
    urgent: bool, late_s: float, autojump_clock: object
) -> None:
    """And a word that comes then is there at once, or at most 0.1 s later, with all that is behind it."""
    spoken_s, ends_s = 4.01, 4.5
    reads = given = 0

    async def receive() -> bytes:
        nonlocal reads
        reads += 1
        await trio.sleep_until(0.02 * (given + 1))
        return block(int(trio.current_time() / 0.02 + 1e-6) - given)

    def block(count: int) -> bytes:
        nonlocal given
        pieces = [
            counting(480) if (n + 1) * 0.02 > spoken_s else bytes(960) for n in range(given, given + count)
        ]
        given += count
        return b"".join(pieces)

    sound, heard_s = b"", 0.0
    microphone = PipeMicrophone(receive, fast=False, patience=Patience())
    microphone.urgent = urgent
    while trio.current_time() < ends_s:
        sound += await microphone.read()
        heard_s = heard_s or (trio.current_time() if any(sound[-960:]) else 0.0)
    assert spoken_s <= heard_s <= spoken_s + 0.02 + late_s
    assert len(sound) == 960 * round(ends_s / 0.02)
    assert reads < 160 if not urgent else reads > 200
