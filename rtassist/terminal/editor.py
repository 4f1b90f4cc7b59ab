"""The line that is being typed. Pure: a key in, the next line out, and what was entered with it."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs
from attrs import frozen

from rtassist.terminal.keys import Key
from rtassist.terminal.widths import clusters, harmless

LONGEST_LINE = 100_000
"""Characters: what is pasted beyond is left out."""
PAST_LINES = 500


@frozen(kw_only=True)
class Editor:
    text: str = ""
    cursor: int = 0
    """Characters before it."""
    past: tuple[str, ...] = ()
    """Lines that were entered, oldest first."""
    back: int = 0
    """How far back in the past the text is from; 0: it is new."""
    new: str = ""
    """What was being typed when the user went back."""
    killed: str = ""
    commands: tuple[str, ...] = ()
    """What may be completed, with their slash."""
    tabbed: str | None = None
    """What was typed before the completion that is shown."""


def press(editor: Editor, key: Key) -> tuple[Editor, str | None]:
    """The line after a key, and the line that was entered by it, if one was."""
    if key.action == "release":
        return editor, None
    if key.name == "enter":
        return _entered(editor), editor.text
    if key.name == "tab":
        return _completed(editor), None
    if key.name in ("text", "paste"):
        editor = _inserted(editor, harmless(key.text))
    elif key.name in _ACTIONS:
        editor = _ACTIONS[key.name](editor)
    return attrs.evolve(editor, tabbed=None), None


def matches(editor: Editor) -> tuple[str, ...]:
    """The commands that what was typed may be the beginning of."""
    typed = editor.text if editor.tabbed is None else editor.tabbed
    if not typed.startswith("/") or any(letter.isspace() for letter in typed):
        return ()
    return tuple(name for name in editor.commands if name.startswith(typed))


def _entered(editor: Editor) -> Editor:
    past = editor.past
    if editor.text.strip() and past[-1:] != (editor.text,):
        past = (*past, editor.text)[-PAST_LINES:]
    return Editor(past=past, commands=editor.commands, killed=editor.killed)


def _completed(editor: Editor) -> Editor:
    """As far as it is certain; then, with each further key, one match after the other."""
    found = matches(editor)
    if not found:
        return editor
    common = _common(found)
    if editor.tabbed is None and len(common) > len(editor.text):
        return attrs.evolve(editor, text=common, cursor=len(common))
    shown = found.index(editor.text) + 1 if editor.tabbed is not None and editor.text in found else 0
    text = found[shown % len(found)]
    tabbed = editor.text if editor.tabbed is None else editor.tabbed
    return attrs.evolve(editor, text=text, cursor=len(text), tabbed=tabbed)


def _common(names: tuple[str, ...]) -> str:
    first, last = min(names), max(names)
    return first[: next((i for i, letter in enumerate(first) if last[i] != letter), len(first))]


def _inserted(editor: Editor, text: str) -> Editor:
    text = text[: max(0, LONGEST_LINE - len(editor.text))]
    whole = editor.text[: editor.cursor] + text + editor.text[editor.cursor :]
    return attrs.evolve(editor, text=whole, cursor=editor.cursor + len(text))


def _left(editor: Editor) -> int:
    return editor.cursor - len(clusters(editor.text[: editor.cursor])[-1]) if editor.cursor else 0


def _right(editor: Editor) -> int:
    rest = editor.text[editor.cursor :]
    return editor.cursor + len(clusters(rest)[0]) if rest else editor.cursor


def _word_left(editor: Editor) -> int:
    before = re.search(r"\w*\W*$", editor.text[: editor.cursor])
    return before.start() if before else 0


def _word_right(editor: Editor) -> int:
    after = re.match(r"\W*\w*", editor.text[editor.cursor :])
    return editor.cursor + (after.end() if after else 0)


def _blank_left(editor: Editor) -> int:
    """To the last white space: what Ctrl-W takes."""
    before = re.search(r"\S*\s*$", editor.text[: editor.cursor])
    return before.start() if before else 0


Place = Callable[[Editor], int]


def _move(to: Place) -> Callable[[Editor], Editor]:
    return lambda editor: attrs.evolve(editor, cursor=to(editor))


def _delete(to: Place, *, keep: bool = False) -> Callable[[Editor], Editor]:
    def delete(editor: Editor) -> Editor:
        start, end = sorted((editor.cursor, to(editor)))
        gone = editor.text[start:end]
        text = editor.text[:start] + editor.text[end:]
        killed = gone if keep and gone else editor.killed
        return attrs.evolve(editor, text=text, cursor=start, killed=killed)

    return delete


def _older(editor: Editor, steps: int) -> Editor:
    back = min(max(0, editor.back + steps), len(editor.past))
    if back == editor.back:
        return editor
    new = editor.text if editor.back == 0 else editor.new
    text = editor.past[-back] if back else new
    return attrs.evolve(editor, text=text, cursor=len(text), back=back, new=new)


def _start(editor: Editor) -> int:
    return 0


def _end(editor: Editor) -> int:
    return len(editor.text)


_ACTIONS: dict[str, Callable[[Editor], Editor]] = {
    **dict.fromkeys(("left", "ctrl-b"), _move(_left)),
    **dict.fromkeys(("right", "ctrl-f"), _move(_right)),
    **dict.fromkeys(("home", "ctrl-a"), _move(_start)),
    **dict.fromkeys(("end", "ctrl-e"), _move(_end)),
    **dict.fromkeys(("ctrl-left", "alt-left", "alt-b"), _move(_word_left)),
    **dict.fromkeys(("ctrl-right", "alt-right", "alt-f"), _move(_word_right)),
    "backspace": _delete(_left),
    **dict.fromkeys(("delete", "ctrl-d"), _delete(_right)),
    "ctrl-u": _delete(_start, keep=True),
    "ctrl-k": _delete(_end, keep=True),
    "ctrl-w": _delete(_blank_left, keep=True),
    **dict.fromkeys(("alt-backspace", "ctrl-backspace"), _delete(_word_left, keep=True)),
    **dict.fromkeys(("alt-d", "ctrl-delete"), _delete(_word_right, keep=True)),
    "ctrl-y": lambda editor: _inserted(editor, editor.killed),
    **dict.fromkeys(("up", "ctrl-p"), lambda editor: _older(editor, 1)),
    **dict.fromkeys(("down", "ctrl-n"), lambda editor: _older(editor, -1)),
    **dict.fromkeys(("alt-enter", "ctrl-j"), lambda editor: _inserted(editor, "\n")),
}
