"""Clients that are broken on purpose: python -m tests.bench.broken HOW URL SCENARIO..."""

from __future__ import annotations

import sys
import time
from typing import Any

import trio

from bench.clients import rtassist_client
from bench.device import Loudspeaker
from rtassist import protocol, uplink
from rtassist.dialogue import floor, link
from rtassist.dialogue.state import Sound
from rtassist.link import websocket


def slow() -> None:
    """Each frame is read 20 ms late."""
    decode = protocol.decode

    def late(frame: Any) -> Any:
        time.sleep(0.02)
        return decode(frame)

    setattr(websocket, "decode", late)  # noqa: B010  # to break what it does not export


def busy() -> None:
    """Each frame costs 20 ms of the processor more."""
    decode = protocol.decode

    def laboured(frame: Any) -> Any:
        until_s = time.process_time() + 0.02
        while time.process_time() < until_s:
            pass
        return decode(frame)

    setattr(websocket, "decode", laboured)  # noqa: B010  # to break what it does not export


def stubborn() -> None:
    """A device that says that it has been flushed, and plays on what it holds."""

    def flush(self: Loudspeaker) -> int:
        with self._lock:
            self._advance()
            return self.written - len(self._waiting) // 2

    Loudspeaker.flush = flush  # type: ignore[method-assign]  # to break it


def undead() -> None:
    """What comes of an item whose voice has ended is played."""
    floor.TRANSITIONS[Sound.ENDED]["audio"] = Sound.SOUNDING


def forgetful() -> None:
    """What the user says while there is no connection is not kept, and that is half a second."""
    setattr(link, "delay_ms", lambda attempt, chance: 500)  # noqa: B010  # to break what it does not export
    uplink.REMEMBERED_SAMPLES = 0  # type: ignore[misc]  # to break it


if __name__ == "__main__":
    {"slow": slow, "busy": busy, "stubborn": stubborn, "undead": undead, "forgetful": forgetful}[
        sys.argv.pop(1)
    ]()
    trio.run(rtassist_client.main)
