"""WebSocket frames as bytes (RFC 6455, 5.2): cut out of a stream, and made."""

from __future__ import annotations

from typing import Final

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
_FINAL: Final = 0x80


class Cutter:
    """Cuts what one side sends into its half of the upgrade and then frames, whole with their headers."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._upgraded = False

    def feed(self, data: bytes) -> list[bytes]:
        self._held += data
        pieces = []
        while (length := self._length()) is not None:
            pieces.append(bytes(self._held[:length]))
            del self._held[:length]
        return pieces

    def rest(self) -> bytes:
        """What no whole frame has come of."""
        return bytes(self._held)

    def _length(self) -> int | None:
        held = self._held
        if not self._upgraded:
            end = held.find(b"\r\n\r\n")
            self._upgraded = end >= 0
            return end + 4 if end >= 0 else None
        header = header_length(held)
        if header is None or len(held) < header:
            return None
        whole = header + _payload_length(held)
        return whole if len(held) >= whole else None


def header_length(frame: bytes | bytearray) -> int | None:
    if len(frame) < 2:
        return None
    short = frame[1] & 0x7F
    return 2 + {126: 2, 127: 8}.get(short, 0) + (4 if frame[1] & 0x80 else 0)


def _payload_length(frame: bytes | bytearray) -> int:
    short = frame[1] & 0x7F
    if short < 126:
        return short
    return int.from_bytes(frame[2 : 4 if short == 126 else 10], "big")


def payload(frame: bytes) -> bytes:
    """Of a frame that is not masked, as a server's are not."""
    return frame[header_length(frame) or 0 :]


def is_text(frame: bytes) -> bool:
    """Whether it is a whole message of text."""
    return len(frame) > 1 and frame[0] == _FINAL | TEXT


def frame(opcode: int, data: bytes, *, final: bool = True, claims: int | None = None) -> bytes:
    """As a server sends it. `claims`: the length that its header gives in place of the true one."""
    length = len(data) if claims is None else claims
    head = bytes([opcode | (_FINAL if final else 0)])
    if length < 126:
        head += bytes([length])
    elif length < 1 << 16:
        head += b"\x7e" + length.to_bytes(2, "big")
    else:
        head += b"\x7f" + length.to_bytes(8, "big")
    return head + data


def text(said: str) -> bytes:
    return frame(TEXT, said.encode())


def close(code: int, reason: str = "") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode())


def fragments(whole: bytes, pieces: int) -> list[bytes]:
    """The same message in several frames, with a ping between any two, as RFC 6455, 5.4 allows."""
    data = payload(whole)
    size = max(1, -(-len(data) // pieces))
    cuts = [data[start : start + size] for start in range(0, len(data), size)]
    if len(cuts) < 2:
        return [whole]
    made = []
    for number, cut in enumerate(cuts):
        last = number == len(cuts) - 1
        made.append(frame(TEXT if number == 0 else 0, cut, final=last))
        if not last:
            made.append(frame(PING, b"between"))
    return made
