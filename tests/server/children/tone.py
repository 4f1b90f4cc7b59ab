"""In the synthesiser's place: half a second of a tone at 22.05 kHz for whatever text."""

import math
import struct

from rtassist.server.child_side import Handler, Job, serve_child

SAMPLES = 11_025


def handle(job: Job) -> None:
    for start in range(0, SAMPLES, 1000):
        times = range(start, min(start + 1000, SAMPLES))
        tone = [round(16384 * math.cos(2 * math.pi * 441 * time / 22_050)) for time in times]
        job.answer(struct.pack(f"<{len(tone)}h", *tone))


def set_up() -> Handler:
    return handle


def main() -> None:
    serve_child(set_up)
