"""An interruption, as a user meets it: when `rtassist talk` falls silent, and what it says was heard.

    python -m bench.barge_in [--trials 100] [--json FILE]

A private PulseAudio with a null sink, a server here that sends 1.25 s of sound at once, and the real program
between them. Half of the trials are interrupted by the server's `speech_started`, half by the Enter key. Each
sample says where it stands in its answer, so the sink's recording tells which one was the last, and when:

quiet    from the frame being given to the socket, or the key to the terminal, to the last sample in the sink.
         The monitor gives a sample when the sink renders it, up to its period of 12 ms before it sounds, so
         that this may be negative.
error    `audio_end_ms` of the truncation beside what is in the recording
"""

import argparse
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pybase64
import trio
import trio_websocket
from attrs import define, field, frozen
from numpy.typing import NDArray
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

from tests.pulse import RATE, PrivatePulse, Recording, private_pulse
from tests.talking import environment, talk

ANSWER = np.arange(1000, 31_000, dtype="<i2")
"""1.25 s, each sample another number, and audible."""
DELTA_SAMPLES = 2400
HEARD_BEFORE_S = 0.25


@frozen(kw_only=True)
class Trial:
    by: str
    quiet_ms: float
    error_ms: float


@define
class Scripted:
    """A server that says what it is told to, and keeps what the client sends."""

    got: list[tuple[float, dict[str, Any]]] = field(factory=list)
    client: WebSocketConnection | None = None
    came: trio.Event = field(factory=trio.Event)

    async def serve(self, request: WebSocketRequest) -> None:
        self.client = await request.accept()
        await self.say("session.created", session={"type": "realtime", "id": "sess_1"})
        try:
            while True:
                event = orjson.loads(await self.client.get_message())
                if event["type"] == "session.update":
                    await self.say("session.updated", session=event["session"])
                if event["type"] != "input_audio_buffer.append":
                    self.got.append((time.monotonic(), event))
                self.came.set()
                self.came = trio.Event()
        except ConnectionClosed:
            return

    async def say(self, type: str, **fields: Any) -> None:
        assert self.client is not None
        await self.client.send_message(orjson.dumps({"type": type, "event_id": "e", **fields}).decode())

    async def until(self, type: str, item_id: str) -> dict[str, Any]:
        with trio.fail_after(10):
            while True:
                for _, event in self.got:
                    if event["type"] == type and event.get("item_id") == item_id:
                        return event
                await self.came.wait()

    async def answer(self, number: int) -> str:
        response, item = f"resp_{number}", f"item_{number}"
        at = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        message = {"id": item, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        await self.say("response.created", response={"id": response, "status": "in_progress", "output": []})
        await self.say("response.output_item.added", response_id=response, output_index=0, item=message)
        for start in range(0, len(ANSWER), DELTA_SAMPLES):
            pcm = ANSWER[start : start + DELTA_SAMPLES].tobytes()
            await self.say("response.output_audio.delta", **at, delta=pybase64.b64encode_as_string(pcm))
        return item

    async def cancelled(self, number: int, reason: str) -> None:
        details = {"type": "cancelled", "reason": reason}
        response = {"id": f"resp_{number}", "status": "cancelled", "status_details": details, "output": []}
        await self.say("response.done", response=response)


def samples_since(recording: Recording, begin: int) -> NDArray[np.int16]:
    end = len(recording.data) // 4
    floats = np.frombuffer(bytes(recording.data[4 * begin : 4 * end]), "<f4")
    samples: NDArray[np.int16] = np.rint(floats * 32768).astype(np.int16)
    return samples


async def silent_again(recording: Recording, since: int) -> int:
    """Which sample of the recording was the last one of a voice, once 0.2 s of silence are behind it."""
    with trio.fail_after(10):
        while True:
            samples = samples_since(recording, since)
            loud = np.flatnonzero(samples)
            if len(loud) and len(samples) - loud[-1] > RATE // 5:
                return since + int(loud[-1])
            await trio.sleep(0.02)


async def trial(server: Scripted, recording: Recording, keyboard: int, number: int) -> Trial:
    begin = len(recording.data) // 4
    item = await server.answer(number)
    with trio.fail_after(10):
        needed = HEARD_BEFORE_S * RATE
        while np.count_nonzero(samples_since(recording, begin)) < needed:  # noqa: ASYNC110 (a thread fills it)
            await trio.sleep(0.005)
    await trio.sleep(number % 20 / 1000)  # at every place within a chunk
    asked_s = time.monotonic()
    if number % 2:
        await server.say("input_audio_buffer.speech_started", audio_start_ms=0, item_id=f"user_{number}")
        await server.cancelled(number, "turn_detected")
    else:
        os.write(keyboard, b"\n")
    truncate = await server.until("conversation.item.truncate", item)
    if number % 2:
        user = {"item_id": f"user_{number}"}
        await server.say("input_audio_buffer.speech_stopped", audio_end_ms=0, **user)
    else:
        await server.cancelled(number, "client_cancelled")
    end = {"content_index": 0, "audio_end_ms": truncate["audio_end_ms"]}
    await server.say("conversation.item.truncated", item_id=item, **end)
    last = await silent_again(recording, begin)
    heard = int(samples_since(recording, last)[0]) - int(ANSWER[0]) + 1
    return Trial(
        by="speech_started" if number % 2 else "key",
        quiet_ms=(recording.sounded_at_s(last + 1) - asked_s) * 1000,
        error_ms=truncate["audio_end_ms"] - heard / (RATE // 1000),
    )


async def trials(pulse: PrivatePulse, count: int) -> list[Trial]:
    server = Scripted()
    keyboard, terminal = os.openpty()
    with tempfile.TemporaryDirectory() as folder:
        async with trio.open_nursery() as nursery:
            listener = await nursery.start(trio_websocket.serve_websocket, server.serve, "127.0.0.1", 0, None)
            with talk(
                *("--url", f"ws://127.0.0.1:{listener.port}/v1/realtime", "--echo", "headphones"),
                folder=Path(folder),
                environment=environment(Path(folder), PULSE_SERVER=pulse.server),
                stdin=terminal,
            ) as process:
                try:
                    assert process.stderr is not None
                    with trio.fail_after(30):
                        while not any(event["type"] == "session.update" for _, event in server.got):
                            await server.came.wait()
                    with pulse.recording() as recording:
                        done = [await trial(server, recording, keyboard, n) for n in range(1, count + 1)]
                finally:
                    process.kill()
                    os.close(keyboard)
                    os.close(terminal)
            nursery.cancel_scope.cancel()
    return done


def quiet_ms(trial: Trial) -> float:
    return trial.quiet_ms


def error_ms(trial: Trial) -> float:
    return abs(trial.error_ms)


def summary(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return {"median": statistics.median(ordered), "p95": p95, "worst": ordered[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with private_pulse() as pulse:
        done = trio.run(trials, pulse, asked.trials)
    rows = {
        f"{what}, {by}": summary([value(one) for one in done if one.by == by])
        for by in ("speech_started", "key")
        for what, value in (("quiet", quiet_ms), ("truncation error", error_ms))
    }
    print(f"{f'ms, of {len(done)} trials':36}{'median':>8}{'p95':>8}{'worst':>8}")
    for name, row in rows.items():
        print(f"{name:36}{row['median']:8.1f}{row['p95']:8.1f}{row['worst']:8.1f}")
    if asked.json:
        each = [{"by": one.by, "quiet_ms": one.quiet_ms, "error_ms": one.error_ms} for one in done]
        asked.json.write_text(json.dumps({"ms": rows, "trials": each}, indent=2))


if __name__ == "__main__":
    main()
