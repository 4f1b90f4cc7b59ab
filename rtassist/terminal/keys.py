"""Bytes from a terminal as keys. Pure: what is not complete is handed back, to come again with what follows.

Understood are the sequences of xterm and its many heirs, bracketed paste, and the kitty keyboard protocol
(https://sw.kovidgoyal.net/kitty/keyboard-protocol/), which tells when a key comes up. What is not known is no
key and is dropped.
"""

from __future__ import annotations

import re
from typing import Literal

from attrs import frozen

Action = Literal["press", "repeat", "release"]
LONGEST_PASTE = 1_000_000
"""Bytes. More comes in pieces of this size."""
PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
_CSI = re.compile(rb"\x1b\[([0-?]*)[ -/]*([@-~])")
_STRING = re.compile(rb"\x1b[]P^_X].*?(?:\x07|\x1b\\)", re.DOTALL)
"""A terminal's answers to questions about itself; nobody here has asked."""
_TEXT = re.compile(rb"[^\x00-\x1f\x7f]+")
_FINALS = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "Z": "shift-tab"}
_NUMBERS = {1: "home", 3: "delete", 4: "end", 5: "page-up", 6: "page-down", 7: "home", 8: "end"}
_CONTROLS = {0x08: "backspace", 0x09: "tab", 0x0A: "enter", 0x0D: "enter", 0x1B: "escape", 0x7F: "backspace"}
_CODES = {9: "tab", 13: "enter", 27: "escape", 127: "backspace", 57414: "enter"}
_PRIVATE_USE = range(57344, 63744)
"""Codes of keys that have no character, in the kitty protocol."""


@frozen
class Key:
    """`name`: `text` and `paste` carry text; `reports` is the answer of a terminal that tells when a key
    comes up. All others are called by what is on them, such as `left`, `ctrl-a` or `alt-b`."""

    name: str
    text: str = ""
    action: Action = "press"


def keys(data: bytes, *, over: bool = False) -> tuple[list[Key], bytes]:
    """The keys in `data`, and what is left of it for a next call. `over`: nothing follows soon, so an escape
    at the end is the key of that name, and what is broken off there is dropped."""
    found: list[Key] = []
    at = 0
    while at < len(data):
        key, end = _next(data, at, over)
        if end == at:
            break
        at = end
        if key is not None:
            found.append(key)
    return found, data[at:]


def _next(data: bytes, at: int, over: bool) -> tuple[Key | None, int]:
    """The key at `at` and where it ends; `at` itself where more must come."""
    byte = data[at]
    if byte == 0x1B:
        return _escaped(data, at, over)
    if byte < 0x20 or byte == 0x7F:
        return _control(byte), at + 1
    text = _TEXT.match(data, at)
    assert text is not None
    raw = text[0]
    kept = raw if over or text.end() < len(data) else raw[: _whole(raw)]
    decoded = kept.decode("utf-8", "replace")
    return (Key("text", decoded), at + len(kept)) if kept else (None, at)


def _whole(raw: bytes) -> int:
    """The length of `raw` without a character that has begun at its end."""
    for back in range(1, min(4, len(raw)) + 1):
        byte = raw[-back]
        if byte & 0xC0 == 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(raw) - back if needed > back else len(raw)
        if byte < 0x80:
            break
    return len(raw)


def _control(byte: int) -> Key | None:
    if byte in _CONTROLS:
        return Key(_CONTROLS[byte])
    return Key(f"ctrl-{chr(byte + 0x60)}") if 0 < byte < 0x1B else None


def _escaped(data: bytes, at: int, over: bool) -> tuple[Key | None, int]:
    if data.startswith(PASTE, at):
        return _paste(data, at, over)
    second = data[at + 1 : at + 2]
    if not second:
        return (Key("escape"), at + 1) if over else (None, at)
    if second == b"\x1b":
        return Key("escape"), at + 1
    if second == b"[":
        csi = _CSI.match(data, at)
        if csi is not None:
            return _csi(csi[1].decode("ascii"), csi[2].decode("ascii")), csi.end()
        broken = re.match(rb"\x1b\[[0-?]*[ -/]*", data[at:])
        assert broken is not None
        if at + broken.end() < len(data):
            return None, at + broken.end()
        return (None, len(data)) if over else (None, at)
    if second == b"O":
        third = data[at + 2 : at + 3].decode("ascii", "replace")
        if third:
            return (Key(_FINALS[third]) if third in _FINALS else None), at + 3
        return (Key("alt-O"), at + 2) if over else (None, at)
    if second in (b"]", b"P", b"^", b"_", b"X"):
        string = _STRING.match(data, at)
        if string is not None:
            return None, string.end()
        return (None, len(data)) if over else (None, at)
    if second[0] in _CONTROLS:
        return Key(f"alt-{_CONTROLS[second[0]]}"), at + 2
    return (Key(f"alt-{second.decode('ascii')}") if second.isascii() and second.isalnum() else None), at + 2


def _paste(data: bytes, at: int, over: bool) -> tuple[Key | None, int]:
    start = at + len(PASTE)
    end = data.find(_PASTED, start)
    if end >= 0:
        after = end + len(_PASTED)
    elif over or len(data) - start > LONGEST_PASTE:
        end = after = len(data)
    else:
        return None, at
    text = data[start:end].decode("utf-8", "replace")
    return Key("paste", text.replace("\r\n", "\n").replace("\r", "\n")), after


def _csi(parameters: str, final: str) -> Key | None:
    if parameters.startswith("?"):
        return Key("reports") if final == "u" else None
    if parameters[:1] in ("<", "=", ">"):
        return None
    fields = [[int(n) if n else 0 for n in field.split(":")] for field in parameters.split(";")]
    modifiers = fields[1] if len(fields) > 1 else [1]
    held = max(0, modifiers[0] - 1)
    kind = modifiers[1] if len(modifiers) > 1 else 1
    action: Action = "release" if kind == 3 else "repeat" if kind == 2 else "press"
    if final == "u":
        return _unicode(fields, held, action)
    name = _NUMBERS.get(fields[0][0]) if final == "~" else _FINALS.get(final)
    return None if name is None else Key(_with(name, held), action=action)


def _unicode(fields: list[list[int]], held: int, action: Action) -> Key | None:
    """A key of the kitty protocol: `code:shifted:base ; modifiers:action ; text`."""
    code = fields[0][0]
    if code in _CODES:
        return Key(_with(_CODES[code], held), action=action)
    if held & 0b0110 and 32 < code < 127:
        return Key(_with(chr(code), held & 0b0110), action=action)
    points = fields[2] if len(fields) > 2 and fields[2][0] else [code]
    if any(point < 32 or point in _PRIVATE_USE or point > 0x10FFFF for point in points):
        return None
    return Key("text", "".join(map(chr, points)), action)


def _with(name: str, held: int) -> str:
    """With the modifiers that matter to a line: 2 is alt, 4 ctrl."""
    return "ctrl-" * bool(held & 4) + "alt-" * bool(held & 2) + name
