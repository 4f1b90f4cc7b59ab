"""Sound made of nothing: PCM16 at 24 kHz."""

import numpy as np


def tone(ms: int, *, hertz: float = 440.0, level: float = 0.3) -> bytes:
    time = np.arange(ms * 24) / 24_000
    return (np.sin(2 * np.pi * hertz * time) * level * 32767).astype("<i2").tobytes()


def silence(ms: int) -> bytes:
    return bytes(ms * 48)
