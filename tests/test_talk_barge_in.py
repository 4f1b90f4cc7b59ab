"""Interrupting a long answer stops it, and the server believes what was heard.

The program as a process, the embedded server here, and a tap between them that sees each frame. What was
heard is counted in the WAV file that the program wrote, among the samples that the server sent; nothing that
the program says of itself is believed.
"""

import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
import pytest
import trio
from attrs import define, field

from rtassist.server.offline import offline_parts
from rtassist.server.serve import Options, Parts, serve
from tests.talking import (
    RATE,
    Samples,
    environment,
    heard_of,
    read_wav,
    silence,
    speech,
    talk,
    until_sounded,
    write_wav,
)
from tests.tapped import Passed, Tap, tapped

pytestmark = [
    pytest.mark.offline,
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix"),
]

MS = RATE // 1000
CHUNK_MS = 20
DEVICE_MS = 0
"""A WAV file's share: it takes back everything that has not sounded."""


@define
class Scene:
    """A conversation as it was seen from outside."""

    tap: Tap = field(repr=False)
    wav: Path
    began_s: float = float("inf")
    """When the WAV file's first sample sounded, by trio's clock; late by what the file was written late at
    best, so that what is measured from it is not made to look better."""
    out: bytes = field(default=b"", repr=False)
    lateness: list[tuple[float, float]] = field(factory=list, repr=False)
    """How late this process was, in ms, at which time: what a busy machine takes."""

    async def watch(self) -> None:
        while True:
            due_s = trio.current_time() + 0.002
            await trio.sleep_until(due_s)
            now_s = trio.current_time()
            self.lateness.append((due_s, (now_s - due_s) * 1000))
            if self.wav.exists() and (size := self.wav.stat().st_size) > 44:
                self.began_s = min(self.began_s, now_s - (size - 44) / 2 / RATE)

    def late_ms(self, at_s: float) -> float:
        return max(late for due_s, late in self.lateness if abs(due_s - at_s) < 0.2)

    def sent(self, item_id: str) -> Samples:
        """All sound of an item that the server sent."""
        deltas = [passed.event for passed in self.tap.of("response.output_audio.delta")]
        pcm = [pybase64.b64decode(event["delta"]) for event in deltas if event["item_id"] == item_id]
        return np.frombuffer(b"".join(pcm), "<i2")

    def quiet_after_ms(self, at_s: float, last: int) -> float:
        """From a moment to the end of this sample."""
        return (self.began_s + (last + 1) / RATE - at_s) * 1000

    def answer_after_s(self, question: Samples, sounded: Samples) -> float:
        """From the last sound of the question, when the server got it, to the first of what `sounded`."""
        appended = 0
        for passed in self.tap.of("input_audio_buffer.append"):
            appended += len(pybase64.b64decode(passed.event["audio"])) // 2
            if appended > np.flatnonzero(np.abs(question) > 300)[-1]:
                return self.began_s + int(np.flatnonzero(sounded)[0]) / RATE - passed.at_s
        raise AssertionError("the question was not sent whole")

    async def truncation(self) -> tuple[Passed, dict[str, Any]]:
        """The one that the program sent, and the item as the server has it when all is settled."""
        await self.tap.first("conversation.item.truncated")
        await self.tap.first("response.done")
        (truncate,) = self.tap.of("conversation.item.truncate")
        return truncate, await self.tap.retrieve(truncate.event["item_id"])


@asynccontextmanager
async def scene(folder: Path, mic: Path, *, keyboard: int = subprocess.DEVNULL) -> AsyncIterator[Scene]:
    """The program talks to the embedded server until it ends by itself, with exit code 0."""
    wav = folder / "sounded.wav"
    async with offline_parts() as own, trio.open_nursery() as nursery:
        parts = Parts(thinker=own.thinker, recogniser=own.recogniser, synthesiser=own.synthesiser)
        async with serve(Options(), parts) as server, tapped(server.url) as tap:
            seen = Scene(tap=tap, wav=wav)
            nursery.start_soon(seen.watch)
            url = f"ws://127.0.0.1:{tap.port}/v1/realtime"
            with talk(
                *("--url", url, "--mic", str(mic), "--speaker", str(wav)),
                folder=folder,
                environment=environment(folder),
                stdin=keyboard,
            ) as process:
                try:
                    yield seen
                    with trio.fail_after(60):
                        seen.out, err = await trio.to_thread.run_sync(
                            process.communicate, abandon_on_cancel=True
                        )
                finally:
                    process.kill()
            assert process.returncode == 0, err.decode()
        nursery.cancel_scope.cancel()


async def test_speaking_over_a_story_stops_it_and_is_answered(tmp_path: Path) -> None:
    question, over_it = speech("read_me_a_story_rms"), speech("what_time_is_it_slt")
    mic = write_wav(tmp_path / "mic.wav", question, silence(3.5), over_it)
    async with scene(tmp_path, mic) as seen:
        truncate, item = await seen.truncation()
    story, sounded = seen.sent(item["id"]), read_wav(seen.wav)
    count, last = heard_of(story, sounded)
    _, interrupted = seen.tap.of("input_audio_buffer.speech_started")

    quiet_ms = seen.quiet_after_ms(interrupted.at_s, last)
    assert len(story) - count[-1] > RATE, "there was more to hear of it"
    assert quiet_ms <= CHUNK_MS + DEVICE_MS + seen.late_ms(interrupted.at_s)
    assert_it_is_cut_where_it_was_heard(truncate, item, count, story)
    assert not seen.tap.of("response.cancel"), "the server hears the user, too, and cancels by itself"

    answer = seen.sent(seen.tap.of("response.output_audio.delta")[-1].event["item_id"])
    heard_after, _ = heard_of(answer, sounded[last + 1 :])
    assert len(answer) in heard_after
    assert np.count_nonzero(sounded[last + 1 :]) == np.count_nonzero(answer), "nothing more of the story"

    you, told, _, answered = seen.out.decode().splitlines()
    assert you == "you: read me a story"
    assert told.startswith("assistant: Here is a long story.")
    assert "[interrupted; not heard:" in told
    assert answered.startswith("assistant: It is")
    print(
        f"quiet {quiet_ms:.1f} ms after speech_started (this machine late by "
        f"{seen.late_ms(interrupted.at_s):.1f}), truncated {off_by_ms(truncate, count):.2f} ms off, "
        f"answer {seen.answer_after_s(question, sounded) * 1000:.0f} ms after the question's end"
    )


@pytest.mark.parametrize("line", ["", "what is two plus two"])
async def test_a_line_typed_over_a_story_stops_it(tmp_path: Path, line: str) -> None:
    mic = write_wav(tmp_path / "mic.wav", speech("read_me_a_story_slt"))
    terminal, keyboard = pty.openpty()
    try:
        async with scene(tmp_path, mic, keyboard=keyboard) as seen:
            await until_sounded(seen.wav, 1.0)
            typed_s = trio.current_time()
            os.write(terminal, f"{line}\n".encode())
            truncate, item = await seen.truncation()
    finally:
        os.close(terminal)
        os.close(keyboard)
    story, sounded = seen.sent(item["id"]), read_wav(seen.wav)
    count, last = heard_of(story, sounded)

    quiet_ms = seen.quiet_after_ms(typed_s, last)
    assert len(story) - count[-1] > RATE, "there was more to hear of it"
    assert quiet_ms <= CHUNK_MS + DEVICE_MS + seen.late_ms(typed_s)
    assert_it_is_cut_where_it_was_heard(truncate, item, count, story)
    (cancel,) = seen.tap.of("response.cancel")
    assert truncate.at_s < cancel.at_s

    told, *answered = seen.out.decode().splitlines()[1:]
    assert "[interrupted; not heard:" in told
    assert answered == (["assistant: Two plus two is 4."] if line else [])
    assert bool(np.count_nonzero(sounded[last + 1 :])) == bool(line)
    print(
        f"quiet {quiet_ms:.1f} ms after the key (this machine late by {seen.late_ms(typed_s):.1f}), "
        f"truncated {off_by_ms(truncate, count):.2f} ms off"
    )


def off_by_ms(truncate: Passed, count: range) -> float:
    audio_end_ms: int = truncate.event["audio_end_ms"]
    return audio_end_ms - min(count, key=lambda samples: abs(samples - audio_end_ms * MS)) / MS


def assert_it_is_cut_where_it_was_heard(
    truncate: Passed, item: dict[str, Any], count: range, story: Samples
) -> None:
    """The truncation names the last whole millisecond that sounded, and the server's history holds exactly so
    much of the sound; not its words, since nobody knows which of them were heard."""
    audio_end_ms = truncate.event["audio_end_ms"]
    assert count[0] // MS <= audio_end_ms <= count[-1] // MS
    (content,) = item["content"]
    kept = np.frombuffer(pybase64.b64decode(content["audio"]), "<i2")
    assert np.array_equal(kept, story[: audio_end_ms * MS])
    assert not content.get("transcript")
    assert item["status"] == "incomplete"
