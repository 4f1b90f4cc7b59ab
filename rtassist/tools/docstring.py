"""What a docstring tells the model: the first paragraph, and a line for each parameter."""

import inspect
import re

_SECTION = re.compile(r"(Args|Arguments|Parameters|Params):\s*$")
_ANY_SECTION = re.compile(r"[A-Z][A-Za-z ]*:\s*$")
_GOOGLE = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s+(.*)")
_SPHINX = re.compile(r":param(?:eter)?\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)")


def read(docstring: str | None) -> tuple[str, dict[str, str]]:
    """The description of a function, and of its parameters by name, each as one line.

    Parameters are read in Google's style (a section `Args:`) and in Sphinx's (`:param name: …`).
    """
    lines = inspect.cleandoc(docstring or "").splitlines()
    first: list[str] = []
    for line in lines:
        if not line.strip() or _SECTION.match(line) or line.startswith(":"):
            break
        first.append(line.strip())
    return " ".join(first), {name: " ".join(words) for name, words in _parameters(lines).items()}


def _parameters(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    section, indent = False, 0
    for line in lines:
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if sphinx := _SPHINX.match(text):
            current, indent = found.setdefault(sphinx[1], []), depth
            current.append(sphinx[2])
        elif not text:
            current = None
        elif depth == 0 and _ANY_SECTION.match(line):
            section, current, indent = bool(_SECTION.match(line)), None, 0
        elif section and (not indent or depth <= indent) and (google := _GOOGLE.match(text)) and depth:
            current, indent = found.setdefault(google[1], []), depth
            current.append(google[2])
        elif current is not None and depth > indent:
            current.append(text)
        else:
            current = None
    return {name: [word for word in words if word] for name, words in found.items()}
