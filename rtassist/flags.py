"""What is typed for a command, as its function takes it; what needs no conversion loads nothing. Examples."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from functools import partial
from inspect import getdoc
from typing import Any

from typer import Typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_name


def examples(*lines: str) -> str:
    """A paragraph of --help that is not wrapped: a command a line, of 56 characters at most, which a terminal
    of 60 columns shows."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def read_where_named(app: Typer, words: Collection[str]) -> Typer:
    """The same program, of whose commands only those among `words` have parameters. typer reads the
    signatures of all, of which one at most is run: two fifths of a --help."""
    read = copy(app)
    read.registered_commands = [copy(command) for command in app.registered_commands]
    for command in read.registered_commands:
        command.name = command.name or get_command_name(getattr(command.callback, "__name__", ""))
        if command.name not in words:
            command.help = command.help or getdoc(command.callback)
            command.callback = _not_read
    read.registered_groups = [copy(group) for group in app.registered_groups]
    for group in read.registered_groups:
        if group.typer_instance is not None:
            group.typer_instance = read_where_named(group.typer_instance, words)
    return read


def _not_read() -> None:
    raise AssertionError("a command was run that was not named")


class Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _left_alone(super().get_params(ctx))


class Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _left_alone(super().get_params(ctx))


def _left_alone(params: list[Any]) -> list[Any]:
    """Text, and what was not given, become what they are. typer asks pydantic for the way to convert each
    option even so (0.29.2, build_runtime_param), whose import takes a sixth of a start."""
    for param in params:
        plain = not param.required and param.nargs == 1
        if plain and "process_value" not in vars(param):
            param.process_value = partial(_process, param, param.process_value)
    return params


def _process(param: Any, convert: Any, ctx: Any, value: Any) -> Any:
    # Without this attribute it is a typer that converts by itself.
    kind = getattr(param, "type_descriptor", None)
    wanted = None if kind is None else kind.annotation
    if not value and wanted == list[str] and param.default is None:
        value = None
    texts = isinstance(value, list | tuple) and wanted == list[str]
    if not (value is None or texts or (isinstance(value, str) and wanted is str)):
        return convert(ctx, value)
    value = list(value) if texts else value
    return value if param.callback is None else param.callback(ctx, param, value)
