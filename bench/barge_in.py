"""An interruption, as a user meets it: when `rtassist talk` falls silent, and what it says was heard.

    python -m bench.barge_in [--trials 100] [--json FILE]

A private PulseAudio with a null sink, a server here that sends 1.25 s of sound at once, and the real program
between them. A third of the trials are interrupted by the server's `speech_started`, a third by the Enter
key, and in a third a user says something into the microphone before the server has heard it. Each sample says
where it stands in its answer, so the sink's recording tells which one was the last, and when:

quiet    from the frame being given to the socket, or the key to the terminal, to the last sample in the sink.
         The monitor gives a sample when the sink renders it, up to its period of 12 ms before it sounds, so
         that this may be negative.
error    `audio_end_ms` of the truncation beside what is in the recording
lowered  from the user's first sample at the microphone to the first sample in the sink that is 12 dB lower
         than it was sent
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
from attrs import asdict, define, field, frozen
from numpy.typing import NDArray
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

from tests.pulse import RATE, PrivatePulse, Recording, private_pulse
from tests.talking import environment, read_wav, talk

ANSWER = np.arange(1000, 31_000, dtype="<i2")
"""1.25 s, each sample another number, and audible."""
DELTA_SAMPLES = 2400
HEARD_BEFORE_S = 0.25
KINDS = ("speech_started", "key", "user")
USER = Path(__file__).parents[1] / "tests" / "speech" / "hello_slt.wav"
USER_PEAK = int(np.abs(read_wav(USER).astype(np.int32)).max())
LOWERED = 0.25
"""-12 dB."""
FADED_IN = RATE // 50
"""A voice begins with a fade of 3 ms; from here on each sample is as it was sent."""


@frozen(kw_only=True)
class Trial:
    by: str
    quiet_ms: float
    error_ms: float
    lowered_ms: float | None = None


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


def begins(samples: NDArray[np.int16]) -> int | None:
    """The first sample of speech: what is 20 dB under its loudest, as quiet as breath, is none."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > USER_PEAK // 10)
    return int(loud[0]) if len(loud) else None


def lowered(samples: NDArray[np.int16]) -> int | None:
    """The first sample of a voice that is much lower than it was sent."""
    first = int(np.flatnonzero(samples)[0])
    whole = np.flatnonzero(samples == ANSWER[FADED_IN])
    start = int(whole[0]) - FADED_IN if len(whole) else first
    expected = ANSWER[: len(samples) - start]
    low = np.flatnonzero(samples[start : start + len(expected)] < LOWERED * expected)
    low = low[low > FADED_IN]
    return start + int(low[0]) if len(low) else None


async def until_it_is_lowered(
    pulse: PrivatePulse, recording: Recording, begin: int, microphone: Recording
) -> float | None:
    """A user speaks: from his first sample to the lower voice, in ms; None where it is not within 0.4 s."""
    mic_begin = len(microphone.data) // 4
    with pulse.speaking(USER):
        with trio.fail_after(10):
            while (spoke := begins(samples_since(microphone, mic_begin))) is None:  # noqa: ASYNC110 (as above)
                await trio.sleep(0.005)
        await trio.sleep(0.4)
        low = lowered(samples_since(recording, begin))
    if low is None:
        return None
    return (recording.sounded_at_s(begin + low) - microphone.sounded_at_s(mic_begin + spoke)) * 1000


async def trial(
    pulse: PrivatePulse,
    server: Scripted,
    recording: Recording,
    microphone: Recording,
    keyboard: int,
    number: int,
) -> Trial:
    by = KINDS[number % 3]
    begin = len(recording.data) // 4
    item = await server.answer(number)
    with trio.fail_after(10):
        needed = HEARD_BEFORE_S * RATE
        while np.count_nonzero(samples_since(recording, begin)) < needed:  # noqa: ASYNC110 (a thread fills it)
            await trio.sleep(0.005)
    await trio.sleep(number % 20 / 1000)  # at every place within a chunk
    lowered_ms = await until_it_is_lowered(pulse, recording, begin, microphone) if by == "user" else None
    asked_s = time.monotonic()
    if by == "key":
        os.write(keyboard, b"\n")
    else:
        await server.say("input_audio_buffer.speech_started", audio_start_ms=0, item_id=f"user_{number}")
        await server.cancelled(number, "turn_detected")
    truncate = await server.until("conversation.item.truncate", item)
    if by == "key":
        await server.cancelled(number, "client_cancelled")
    else:
        user = {"item_id": f"user_{number}"}
        await server.say("input_audio_buffer.speech_stopped", audio_end_ms=0, **user)
    end = {"content_index": 0, "audio_end_ms": truncate["audio_end_ms"]}
    await server.say("conversation.item.truncated", item_id=item, **end)
    last = await silent_again(recording, begin)
    # The end is faded, and a lowered voice all of it: what stood there is counted from where it was whole.
    samples = samples_since(recording, begin)[: last - begin + 1]
    whole = np.flatnonzero(samples == ANSWER[FADED_IN])
    heard = FADED_IN + int(np.count_nonzero(samples[int(whole[0]) :]))  # gaps are not heard
    return Trial(
        by=by,
        quiet_ms=(recording.sounded_at_s(last + 1) - asked_s) * 1000,
        error_ms=truncate["audio_end_ms"] - heard / (RATE // 1000),
        lowered_ms=lowered_ms,
    )


async def trials(pulse: PrivatePulse, count: int, echo: str) -> list[Trial]:
    server = Scripted()
    keyboard, terminal = os.openpty()
    with tempfile.TemporaryDirectory() as folder:
        async with trio.open_nursery() as nursery:
            listener = await nursery.start(trio_websocket.serve_websocket, server.serve, "127.0.0.1", 0, None)
            with talk(
                *("--url", f"ws://127.0.0.1:{listener.port}/v1/realtime", "--echo", echo),
                folder=Path(folder),
                environment=environment(Path(folder), PULSE_SERVER=pulse.server),
                stdin=terminal,
            ) as process:
                try:
                    assert process.stderr is not None
                    with trio.fail_after(30):
                        while not any(event["type"] == "session.update" for _, event in server.got):
                            await server.came.wait()
                    with pulse.recording() as recording, pulse.recording("micline.monitor") as microphone:
                        heard = (recording, microphone)
                        done = [await trial(pulse, server, *heard, keyboard, n) for n in range(count)]
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


def lowered_ms(trial: Trial) -> float:
    return math.inf if trial.lowered_ms is None else trial.lowered_ms


def summary(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return {"median": statistics.median(ordered), "p95": p95, "worst": ordered[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--echo", default="headphones", help="as for rtassist talk; on: with cancellation")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with private_pulse() as pulse:
        done = trio.run(trials, pulse, asked.trials, asked.echo)
    rows = {
        f"{what}, {by}": summary([value(one) for one in done if one.by == by])
        for by in KINDS
        for what, value in (("quiet", quiet_ms), ("truncation error", error_ms), ("lowered", lowered_ms))
        if value is not lowered_ms or by == "user"
    }
    print(f"{f'ms, of {len(done)} trials':36}{'median':>8}{'p95':>8}{'worst':>8}")
    for name, row in rows.items():
        print(f"{name:36}{row['median']:8.1f}{row['p95']:8.1f}{row['worst']:8.1f}")
    if asked.json:
        each = [asdict(one) for one in done]
        asked.json.write_text(json.dumps({"ms": rows, "trials": each}, indent=2))


if __name__ == "__main__":
    main()
