"""A child process for tests of what must never hang or abort: it talks, listens, and reopens what it loses.

Each line that it prints is a JSON object with `at`, by time.monotonic(). It ends when a device that
was lost cannot be opened again, or when one line comes in.
"""

import itertools
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import trio

from rtassist.audio import DeviceLost, SoundUnavailable
from rtassist.audio.microphone import DeviceMicrophone, open_device_microphone
from rtassist.audio.speaker import DeviceSpeaker, open_device_speaker

Device = DeviceMicrophone | DeviceSpeaker


def report(**facts: object) -> None:
    print(json.dumps({**facts, "at": time.monotonic()}), flush=True)


async def listen(device: Device) -> None:
    assert isinstance(device, DeviceMicrophone)
    for n in itertools.count():
        await device.read()
        if n == 10:
            report(kind="microphone", event="running")


async def talk(device: Device) -> None:
    assert isinstance(device, DeviceSpeaker)
    for n in itertools.count():
        await device.play(b"\1\0" * 480)
        if n == 10:
            report(kind="speaker", event="running")


async def keep(
    kind: str,
    open_it: Callable[[], AbstractAsyncContextManager[Device]],
    use: Callable[[Device], Awaitable[None]],
) -> None:
    while True:
        try:
            async with open_it() as device:
                assert device.device is not None
                report(kind=kind, event="opened", what=device.device.id)
                try:
                    await use(device)
                except DeviceLost as lost:
                    report(kind=kind, event="lost", what=lost.reason)
        except SoundUnavailable as unavailable:
            report(kind=kind, event="unavailable", what=unavailable.message)
            return


async def main() -> None:
    async with trio.open_nursery() as nursery:

        async def until_told() -> None:
            await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
            nursery.cancel_scope.cancel()

        async def both() -> None:
            async with trio.open_nursery() as devices:
                devices.start_soon(keep, "microphone", open_device_microphone, listen)
                devices.start_soon(keep, "speaker", open_device_speaker, talk)
            nursery.cancel_scope.cancel()

        nursery.start_soon(until_told)
        nursery.start_soon(both)


if __name__ == "__main__":
    trio.run(main)
    ours = [t for t in threading.enumerate() if t.name in ("microphone", "speaker", "sound system")]
    for thread in ours:
        thread.join(1)
    report(kind="process", event="ended", what=[t.name for t in ours if t.is_alive()])
