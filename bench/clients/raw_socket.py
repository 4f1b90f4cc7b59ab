"""The floor: a socket, frames cut by hand, and nothing understood but where the audio is."""

from __future__ import annotations

import socket
import threading
import time
from binascii import a2b_base64
from typing import Any
from urllib.parse import urlsplit

from pybase64 import b64encode

from bench.clients.contract import BLOCK_S, age_us, asked, block, tell

UPGRADE = (
    "GET {path}?model={model} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
KEY = b'"delta":"'


def frame(text: bytes) -> bytes:
    """A client's text frame, masked with zeros, which leave it as it is (RFC 6455, section 5.2)."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + text


class Reader:
    def __init__(self, connection: socket.socket) -> None:
        self.file = connection.makefile("rb", buffering=65536)

    def upgraded(self) -> None:
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def payload(self) -> bytes | None:
        """Of the next text frame; None at the end."""
        head = self.file.read(2)
        if len(head) < 2 or head[0] & 0x0F == 8:
            return None
        size = head[1] & 0x7F
        if size > 125:
            size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
        payload: bytes = self.file.read(size)
        return payload


def append(connection: socket.socket, over: threading.Event) -> None:
    next_s = time.monotonic()
    while not over.is_set():
        next_s += BLOCK_S
        time.sleep(max(0.0, next_s - time.monotonic()))
        audio = b64encode(block())
        try:
            connection.sendall(frame(b'{"type":"input_audio_buffer.append","audio":"' + audio + b'"}'))
        except OSError:
            return


def hold(url: str, scenario: dict[str, Any]) -> None:
    where = urlsplit(url)
    assert where.hostname is not None
    assert where.port is not None
    down_us: list[float] = []
    over = threading.Event()
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upgrade = UPGRADE.format(path=where.path, model=scenario["name"], host=where.netloc)
        reader = Reader(connection)
        connection.sendall(upgrade.encode())
        reader.upgraded()
        connection.sendall(frame(b'{"type":"session.update","session":{"type":"realtime"}}'))
        if scenario["appends"]:
            threading.Thread(target=append, args=(connection, over), daemon=True).start()
        while (payload := reader.payload()) is not None:
            if payload.startswith(b'{"type":"response.output_audio.delta"'):
                pcm = a2b_base64(memoryview(payload)[payload.index(KEY) + len(KEY) : -2])
                down_us.append(age_us(pcm) or 0.0)
        over.set()
    tell(scenario=scenario["name"], down_us=down_us)


if __name__ == "__main__":
    url, scenarios = asked()
    for each in scenarios:
        hold(url, each)
