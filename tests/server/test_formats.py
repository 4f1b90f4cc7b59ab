import io

import numpy as np
import pytest
import soundfile

from rtassist.server.formats import Inward, Outward, _decoding, _encoding, decoded, encoded
from tests.server.sounds import tone

G711 = {"audio/pcmu": "ULAW", "audio/pcma": "ALAW"}


@pytest.mark.parametrize("format", G711)
def test_the_tables_are_libsndfile_s(format: str) -> None:
    codes = bytes(range(256))
    theirs, _ = soundfile.read(
        io.BytesIO(codes), dtype="int16", format="RAW", subtype=G711[format], samplerate=8000, channels=1
    )
    table = _decoding(format)
    assert np.array_equal(table, theirs)
    # Each sample gets the code of the nearest: half a step of the coarsest segment off at most, or clipped.
    samples = np.arange(-32768, 32768, dtype=np.int32)
    nearest = table[_encoding(format)[samples.astype(np.int16).view(np.uint16)]].astype(np.int32)
    distance = np.abs(table.astype(np.int32)[:, None] - samples[None, :]).min(axis=0)
    assert np.array_equal(np.abs(nearest - samples), distance)


@pytest.mark.parametrize("format", G711)
def test_there_and_back_in_a_stream(format: str) -> None:
    pcm = tone(1000)
    outward, inward = Outward(format), Inward(format)
    pieces = [outward.convert(pcm[start : start + 960]) for start in range(0, len(pcm), 960)]
    wire = b"".join([*pieces, outward.convert(b"", last=True)])
    assert len(wire) == 8000
    back = b"".join(inward.convert(wire[start : start + 160]) for start in range(0, 8000, 160))
    assert 0 <= len(pcm) - len(back) < 40 * 48
    heard = np.frombuffer(back, "<i2").astype(float)
    said = np.frombuffer(pcm[: len(back)], "<i2").astype(float)
    noise = (heard - said)[2400:-2400]
    assert 10 * np.log10(np.mean(said**2) / np.mean(noise**2)) > 30


@pytest.mark.parametrize("format", G711)
def test_there_and_back_in_one_go(format: str) -> None:
    assert len(encoded(tone(500), format)) == 4000
    assert len(decoded(encoded(tone(500), format), format)) == 24_000


def test_pcm_is_left_alone() -> None:
    pcm = tone(20)
    assert encoded(pcm, "audio/pcm") == decoded(pcm, "audio/pcm") == Inward("audio/pcm").convert(pcm) == pcm
    assert decoded(pcm[:-1], "audio/pcm") == pcm[:-2]
