"""What a function says about itself as a tool, beyond its hints and its docstring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])
_ATTRIBUTE = "__rtassist_tool__"


class Marks(NamedTuple):
    """`name`: as the model knows it, if not by the function's own. `timeout_s`: instead of --tool-timeout."""

    name: str | None = None
    asks: bool = False
    on_interrupt: Literal["keep", "cancel"] = "keep"
    timeout_s: float | None = None


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    *,
    name: str | None = None,
    asks: bool = False,
    on_interrupt: Literal["keep", "cancel"] = "keep",
    timeout_s: float | None = None,
) -> Callable[[F], F]: ...
def tool(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    asks: bool = False,
    on_interrupt: Literal["keep", "cancel"] = "keep",
    timeout_s: float | None = None,
) -> F | Callable[[F], F]:
    """Mark a function of a --tools file; it stays what it is. A function needs no mark to be a tool.

    `asks`: the user is asked before each call, as befits what touches files, network or processes.
    `on_interrupt`: whether a call goes on when the user says stop, or is cancelled.
    """
    if on_interrupt not in ("keep", "cancel"):
        raise ValueError(f"on_interrupt must be 'keep' or 'cancel', not {on_interrupt!r}")

    def mark(marked: F) -> F:
        setattr(marked, _ATTRIBUTE, Marks(name, asks, on_interrupt, timeout_s))
        return marked

    return mark if function is None else mark(function)


def marks_of(function: Callable[..., Any]) -> Marks:
    marks = getattr(function, _ATTRIBUTE, None)
    return marks if isinstance(marks, Marks) else Marks()
