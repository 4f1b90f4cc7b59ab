"""`rtassist replay --listen`: a recorded session, aloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import trio

from rtassist import errors
from rtassist.audio import DeviceLost, SoundUnavailable
from rtassist.audio.pcm import Resampler, to_pcm16
from rtassist.audio.speaker import open_speaker
from rtassist.retelling import one_path, opened, say_missing
from rtassist.sessions.rendering import SAMPLE_RATE, Stereo, rendered
from rtassist.sessions.sound import Sound
from rtassist.sessions.what_if import End

SLOWEST, FASTEST = 0.5, 4.0
CHUNK_BYTES: Final = 960


async def listen(
    arguments: Sequence[str], *, until: End | None, speed: float, speaker: str | None, ducked: float
) -> int:
    """Both voices through one loudspeaker, as they sounded. Cancelled, it is silent at once.

    Raises SettingsWrong for what cannot be read, errors.SoundUnavailable where it cannot be heard.
    """
    path = one_path(arguments, "--listen")
    with opened(path, until) as recording, Sound(path) as sound:
        try:
            async with open_speaker(speaker) as loudspeaker:
                for pcm in quickened(rendered(recording.records, sound, ducked=ducked), speed):
                    for offset in range(0, len(pcm), CHUNK_BYTES):
                        await loudspeaker.play(pcm[offset : offset + CHUNK_BYTES])
                await loudspeaker.drain()
        except SoundUnavailable as unavailable:
            raise errors.SoundUnavailable(unavailable.message) from None
        except DeviceLost as lost:
            raise errors.SoundUnavailable(f"The loudspeaker was lost: {lost.reason}.") from None
        say_missing(sound.mic_missing, sound.voice_missing)
        await trio.lowlevel.checkpoint()
        return recording.told()


def quickened(blocks: Iterator[Stereo], speed: float) -> Iterator[bytes]:
    """Both sides as one, PCM16 at 24 kHz, so many times as fast. As a tape: twice as fast is an octave up."""
    resampler = Resampler(round(SAMPLE_RATE * speed), SAMPLE_RATE)
    for block in blocks:
        mono = block.sum(axis=1, dtype=np.float32) / np.float32(32768)
        yield to_pcm16(resampler.push(mono))
    yield to_pcm16(resampler.finish())
