import io
import struct
import wave
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtassist.audio.pcm import level, to_float
from rtassist.server.endpoints.sound import NotPlayable, Sound
from tests.server.sounds import tone

TONE = tone(100)


def converted(*data: bytes, content_type: str = "audio/pcm") -> bytes:
    sound = Sound(content_type)
    pieces = [*(sound.convert(piece) for piece in data), sound.finish()]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    return b"".join(pieces)


def wav(pcm: bytes, *, rate: int = 24_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


def header(*chunks: tuple[bytes, int, bytes]) -> bytes:
    return b"RIFF\xff\xff\xff\xffWAVE" + b"".join(
        name + struct.pack("<I", size) + body for name, size, body in chunks
    )


FORMAT = (b"fmt ", 16, struct.pack("<HHIIHH", 1, 1, 24_000, 48_000, 2, 16))
_EXTENSION = struct.pack("<HHIH14s", 22, 16, 4, 1, b"")
EXTENSIBLE = (b"fmt ", 40, struct.pack("<HHIIHH", 0xFFFE, 1, 24_000, 48_000, 2, 16) + _EXTENSION)


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(TONE)), max_size=8), st.booleans())
def test_sound_may_be_cut_anywhere(cuts: list[int], in_file: bool) -> None:
    data = wav(TONE) if in_file else TONE
    edges = [0, *sorted(cuts), len(data)]
    assert converted(*(data[a:b] for a, b in pairwise(edges))) == TONE


@pytest.mark.parametrize(
    "data",
    [
        TONE + b"\x7f",
        wav(TONE),
        header(FORMAT, (b"data", 0xFFFFFFFF, TONE)),
        header(FORMAT, (b"data", 0, TONE)),
        header(EXTENSIBLE, (b"data", len(TONE), TONE)),
        header((b"LIST", 5, b"INFO!\0"), FORMAT, (b"fact", 4, b"\0\0\0\0"), (b"data", len(TONE), TONE)),
        header(FORMAT, (b"data", len(TONE), TONE), (b"LIST", 4, b"INFO")),
    ],
    ids=["raw", "wav", "endless", "unsized", "extensible", "more before", "more behind"],
)
def test_sound_as_it_is(data: bytes) -> None:
    assert converted(data) == TONE
    assert converted(*(data[i : i + 1] for i in range(len(data)))) == TONE


@pytest.mark.parametrize(
    ("rate", "channels"), [(16_000, 1), (22_050, 1), (44_100, 2), (48_000, 2), (24_000, 2)]
)
def test_other_rates_and_channels(rate: int, channels: int) -> None:
    seconds = np.arange(rate) / rate
    samples = (np.sin(2 * np.pi * 440 * seconds) * 0.3 * 32767).astype("<i2")
    data = wav(np.repeat(samples, channels).tobytes(), rate=rate, channels=channels)
    pcm = converted(*(data[i : i + 1001] for i in range(0, len(data), 1001)))
    assert abs(len(pcm) // 2 - 24_000) <= 1
    assert level(pcm).rms_dbfs == pytest.approx(level(samples.tobytes()).rms_dbfs, abs=0.1)
    spectrum = np.abs(np.fft.rfft(to_float(pcm)))
    assert np.argmax(spectrum) == pytest.approx(440, abs=1)


def test_a_content_type_may_name_the_rate() -> None:
    assert len(converted(TONE, content_type="audio/L16; rate=48000; channels=1")) == len(TONE) // 2


@pytest.mark.parametrize("data", [b"", b"\0", header(FORMAT, (b"data", 0, b"")), header(FORMAT), b"RIFF"])
def test_no_sound(data: bytes) -> None:
    assert converted(data) == b""


@pytest.mark.parametrize(
    ("data", "content_type", "words"),
    [
        (b"\xff\xfb\x90\x64" * 10, "audio/mpeg", "compressed sound"),
        (b"ID3\x04" * 10, "application/octet-stream", "compressed sound"),
        (b"OggS" * 10, "", "of no type"),
        (wav(b"\x80" * 20, width=1), "audio/wav", "8 bits"),
        (wav(b"\x80" * 30, width=3), "audio/wav", "24 bits"),
        (wav(b"\0" * 36, channels=9), "audio/wav", "9 channels"),
        (wav(b"\0" * 20, rate=100), "audio/wav", "100 Hz"),
        (header((b"data", 4, b"abcd")), "audio/wav", "without a format"),
        (header((b"fmt ", 16, struct.pack("<HHIIHH", 3, 1, 24_000, 96_000, 4, 32))), "audio/wav", "format 3"),
        (header((b"LIST", 80_000, b"\0" * 80_000)), "audio/wav", "without sound"),
    ],
)
def test_what_cannot_be_played(data: bytes, content_type: str, words: str) -> None:
    with pytest.raises(NotPlayable, match=words):
        converted(data, content_type=content_type)
