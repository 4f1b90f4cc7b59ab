"""Sound in an HTTP answer, raw or in a WAV file, from bytes as they come to PCM16 at 24 kHz."""

from __future__ import annotations

import re
import struct

from rtassist.audio.pcm import Resampler, to_float, to_mono, to_pcm16

_RATE = 24_000
_MAX_HEADER_BYTES = 65_536
# Of the formats that a server may send although another was asked for.
_COMPRESSED = re.compile(r"audio/(mpeg|mp3|mp4|aac|aacp|ogg|opus|flac|x-flac|webm)\b")
_COMPRESSED_MAGIC = (b"OggS", b"fLaC", b"ID3")
_PCM_TAG, _EXTENSIBLE_TAG = 1, 0xFFFE
# What is written into a header before anyone knows how long it will be.
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)


class NotPlayable(ValueError):  # noqa: N818  what came, and no mistake of ours
    """The bytes are no sound that can be played; the words say what they are."""


class Sound:
    """`convert` what comes, then `finish`; both give whole samples and raise NotPlayable.

    Without a WAV header it is what OpenAI calls `pcm`: 24 kHz, 16 bits, little-endian, mono, but for a rate
    that the content type names.
    """

    def __init__(self, content_type: str) -> None:
        self._type = content_type.lower()
        self._waiting = bytearray()
        self._header = True
        self._left: int | None = None
        """Bytes of sound that are still to come; None: as many as there are."""
        self._begin(1, _RATE)

    def convert(self, data: bytes) -> bytes:
        self._waiting += data
        if self._header and not self._read_header():
            if len(self._waiting) > _MAX_HEADER_BYTES:
                raise NotPlayable("a WAV file without sound in it")
            return b""
        return self._samples()

    def finish(self) -> bytes:
        if self._header and not self._waiting.startswith(b"RIFF"):
            # Fewer bytes than would tell what it is.
            self._header = False
        pcm = b"" if self._header else self._samples()
        return pcm + to_pcm16(self._resampler.finish())

    def _samples(self) -> bytes:
        frame = 2 * self._channels
        room = len(self._waiting) if self._left is None else min(len(self._waiting), self._left)
        size = room - room % frame
        pcm = bytes(self._waiting[:size])
        del self._waiting[:size]
        if self._left is not None:
            self._left -= size
            if self._left < frame:
                self._waiting.clear()  # a file may have something after its sound
        if self._plain:
            return pcm
        samples = to_mono(to_float(pcm).reshape(-1, self._channels))
        return to_pcm16(self._resampler.push(samples))

    def _read_header(self) -> bool:
        """Whether what comes next is sound."""
        if len(self._waiting) < 12:
            return False
        if self._waiting[:4] == b"RIFF" and self._waiting[8:12] == b"WAVE":
            self._header = not self._read_chunks()
            return not self._header
        if self._waiting.startswith(_COMPRESSED_MAGIC) or _COMPRESSED.match(self._type):
            raise NotPlayable(f"compressed sound ({self._type or 'of no type'})")
        named = re.search(r"rate=(\d{4,6})\b", self._type)
        self._begin(1, int(named[1]) if named else _RATE)
        self._header = False
        return True

    def _read_chunks(self) -> bool:
        """The chunks of a WAV file up to its sound; whether that is reached."""
        at, known = 12, False
        while len(self._waiting) >= at + 8:
            name, size = struct.unpack_from("<4sI", self._waiting, at)
            if name == b"data":
                if not known:
                    raise NotPlayable("a WAV file without a format")
                self._left = None if size in _UNKNOWN_SIZES else size
                del self._waiting[: at + 8]
                return True
            if name == b"fmt " and size >= 16:
                if len(self._waiting) < at + 8 + size:
                    return False
                self._read_format(bytes(self._waiting[at + 8 : at + 8 + size]))
                known = True
            at += 8 + size + size % 2
        return False

    def _read_format(self, chunk: bytes) -> None:
        tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
        if tag == _EXTENSIBLE_TAG and len(chunk) >= 26:
            (tag,) = struct.unpack_from("<H", chunk, 24)
        if tag != _PCM_TAG or bits != 16:
            raise NotPlayable(f"a WAV file with {bits} bits in format {tag}, and not 16 bits in format 1")
        if not 1 <= channels <= 8:
            raise NotPlayable(f"a WAV file with {channels} channels")
        self._begin(channels, rate)

    def _begin(self, channels: int, rate: int) -> None:
        if not 4_000 <= rate <= 192_000:
            raise NotPlayable(f"sound at {rate} Hz")
        self._channels = channels
        self._plain = channels == 1 and rate == _RATE
        self._resampler = Resampler(rate, _RATE)
