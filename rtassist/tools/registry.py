"""Plain Python functions as tools of the model: described, called with checked arguments, always answered."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, get_type_hints

import attrs
import trio
from attrs import frozen
from cattrs import BaseValidationError

from rtassist.protocol.session import FunctionTool
from rtassist.tools.schema import CONVERTER, Schema, problems_of, schema_of

# A spoken conversation that waits this long for a function has come apart already.
DEADLINE_S = 20.0


@frozen(kw_only=True)
class Tool:
    """A function that the model may call. `arguments` is an attrs class with one field a parameter."""

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type

    @property
    def schema(self) -> Schema:
        return schema_of(self.arguments)

    @property
    def definition(self) -> FunctionTool:
        """The tool as a session's `tools` names it."""
        return FunctionTool(name=self.name, description=self.description, parameters=self.schema)


def tool(function: Callable[..., Any]) -> Tool:
    """A tool from a function, plain or async, with type hints and a docstring.

    The docstring's first paragraph is what the model reads about it; `Annotated[int, "…"]` describes a
    parameter. Raises TypeError for hints that no JSON schema can express.
    """
    hints = get_type_hints(function, include_extras=True)
    name = function.__name__
    fields = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{name}: a tool has named parameters, not {parameter}")
        if parameter.name not in hints:
            raise TypeError(f"{name}: the parameter {parameter.name} has no type hint")
        default = attrs.NOTHING if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = attrs.field(default=default, type=hints[parameter.name])
    arguments = attrs.make_class(f"{name}_arguments", fields, kw_only=True, frozen=True)
    description = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    made = Tool(name=name, description=description, function=function, arguments=arguments)
    _ = made.schema  # a hint that cannot be expressed fails here
    return made


def _error(text: str) -> str:
    return json.dumps({"error": text}, ensure_ascii=False)


class Toolbox:
    """The tools of one conversation."""

    def __init__(self, tools: Iterable[Tool] = (), *, deadline_s: float = DEADLINE_S) -> None:
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        self._deadline_s = deadline_s

    @property
    def definitions(self) -> tuple[FunctionTool, ...]:
        return tuple(tool.definition for tool in self._tools.values())

    async def run(self, name: str, arguments: str) -> str:
        """Calls a tool with the JSON that the model wrote, and gives what the model shall read.

        A result that is no text becomes JSON. Whatever goes wrong in the call is told to the model as
        `{"error": …}`: it can ask the user, or try again. Plain functions run in a thread, which is
        left behind when the deadline passes or the call is cancelled.
        """
        tool = self._tools.get(name)
        if tool is None:
            there_are = ", ".join(self._tools) or "none"
            return _error(f"there is no function {name}; there are: {there_are}")
        try:
            given = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            return _error("the arguments are not JSON")
        if not isinstance(given, dict):
            return _error("the arguments are not a JSON object")
        try:
            checked: object = CONVERTER.structure(given, tool.arguments)
        except BaseValidationError as error:
            return _error("; ".join(problems_of(error)))
        call = partial(tool.function, **{field: getattr(checked, field) for field in given})
        return await self._answer(tool, call)

    async def _answer(self, tool: Tool, call: partial[Any]) -> str:
        try:
            with trio.fail_after(self._deadline_s):
                if inspect.iscoroutinefunction(tool.function):
                    result = await call()
                else:
                    result = await trio.to_thread.run_sync(call, abandon_on_cancel=True)
            if isinstance(result, str):
                return result
            return json.dumps(CONVERTER.unstructure(result), ensure_ascii=False, default=str)
        except trio.TooSlowError:
            return _error(f"{tool.name} took longer than {self._deadline_s:g} seconds and was given up")
        except Exception as error:  # the function is not ours, and a conversation must not end over it
            return _error(f"{tool.name} failed: {str(error) or type(error).__name__}")
