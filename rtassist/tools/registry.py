"""Plain Python functions as tools of the model: described, called with checked arguments, always answered."""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, get_type_hints

import attrs
import trio
from attrs import frozen
from cattrs import BaseValidationError

from rtassist.protocol.session import FunctionTool
from rtassist.tools import docstring
from rtassist.tools.marks import Marks, marks_of
from rtassist.tools.schema import CONVERTER, Schema, problems_of, schema_of

DEADLINE_S = 30.0
"""A spoken conversation that waits this long for a function has moved on."""
MOST_CHARACTERS = 16_000
"""Of a result: some 4,000 tokens, an eighth of the smallest context that OpenAI's models have."""
MOST_THREADS = 16
"""Of plain functions at once. Those that hang keep theirs, and must not take the keyboard's."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@frozen(kw_only=True)
class Tool:
    """A function that the model may call.

    `arguments` is an attrs class with one field a parameter, None for a function that takes what comes.
    """

    name: str
    description: str
    function: Callable[..., Any]
    schema: Schema
    arguments: type | None = None
    asks: bool = False
    cancels: bool = False
    timeout_s: float | None = None

    @property
    def definition(self) -> FunctionTool:
        """The tool as a session's `tools` names it."""
        return FunctionTool(name=self.name, description=self.description, parameters=self.schema)


def tool(function: Callable[..., Any], marks: Marks | None = None) -> Tool:
    """A tool from a function, plain or async, with type hints and a docstring.

    The docstring's first paragraph is what the model reads about it; `Annotated[int, "…"]`, or a section of
    the docstring, describes a parameter. Raises TypeError for hints that no JSON schema can express.
    """
    marks = marks or marks_of(function)
    name = marks.name or function.__name__
    if not _NAME.fullmatch(name):
        raise TypeError(f"{name}: a tool's name has 1 to 64 of a-z, A-Z, 0-9, _ and -")
    description, described = docstring.read(function.__doc__)
    arguments = _arguments(function, name)
    try:
        schema = schema_of(arguments)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    for parameter, text in described.items():
        if parameter in schema["properties"]:
            schema["properties"][parameter].setdefault("description", text)
    return Tool(
        name=name,
        description=description,
        function=function,
        schema=schema,
        arguments=arguments,
        asks=marks.asks,
        cancels=marks.on_interrupt == "cancel",
        timeout_s=marks.timeout_s,
    )


def _arguments(function: Callable[..., Any], name: str) -> type:
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{name}: a type hint cannot be read ({error})") from None
    fields = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{name}: a tool has named parameters, not {parameter}")
        if parameter.name not in hints:
            raise TypeError(f"{name}: the parameter {parameter.name} has no type hint")
        default = attrs.NOTHING if parameter.default is parameter.empty else parameter.default
        # The alias: attrs would take the underscores from the beginning of a name.
        fields[parameter.name] = attrs.field(
            default=default, type=hints[parameter.name], alias=parameter.name
        )
    return attrs.make_class(f"{name}_arguments", fields, kw_only=True, frozen=True)


def _error(text: str) -> str:
    return json.dumps({"error": text}, ensure_ascii=False)


def bounded(text: str, most: int = MOST_CHARACTERS) -> str:
    """`text`, or its beginning and a note to the model that it is no more than that."""
    if len(text) <= most:
        return text
    return f"{text[:most]}\n[Cut here: these are the first {most} of {len(text)} characters.]"


class Toolbox:
    """The tools of one conversation. `redact` takes out of a result what nobody is to read."""

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        *,
        deadline_s: float = DEADLINE_S,
        redact: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        self._deadline_s = deadline_s
        self._redact = redact
        self._threads = trio.CapacityLimiter(MOST_THREADS)

    @property
    def definitions(self) -> tuple[FunctionTool, ...]:
        return tuple(tool.definition for tool in self._tools.values())

    @property
    def asking(self) -> tuple[str, ...]:
        """The names of those that need the user's word before each call."""
        return tuple(tool.name for tool in self._tools.values() if tool.asks)

    @property
    def cancelled(self) -> tuple[str, ...]:
        """The names of those that end when the user says stop."""
        return tuple(tool.name for tool in self._tools.values() if tool.cancels)

    async def run(self, name: str, arguments: str) -> str:
        """Calls a tool with the JSON that the model wrote, and gives what the model shall read.

        A result that is no text becomes JSON; one that is too long is cut, with a note. Whatever goes wrong
        in the call is told to the model as `{"error": …}`: it can ask the user, or try again. Plain functions
        run in a thread, which is left behind when the deadline passes or the call is cancelled.
        """
        return bounded(self._redact(await self._run(name, arguments)))

    async def _run(self, name: str, arguments: str) -> str:
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
        if tool.arguments is not None:
            try:
                checked: object = CONVERTER.structure(given, tool.arguments)
            except BaseValidationError as error:
                return _error("; ".join(problems_of(error)))
            given = {field: getattr(checked, field) for field in given}
        return await self._answer(tool, partial(tool.function, **given))

    async def _answer(self, tool: Tool, call: partial[Any]) -> str:
        deadline_s = self._deadline_s if tool.timeout_s is None else tool.timeout_s
        try:
            with trio.move_on_after(deadline_s) as deadline:
                result = await self._result(tool, call)
            if deadline.cancelled_caught:
                return _error(f"{tool.name} took longer than {deadline_s:g} seconds and was given up")
            if isinstance(result, str):
                return result
            return json.dumps(CONVERTER.unstructure(result), ensure_ascii=False, default=str)
        except (Exception, SystemExit) as error:  # it is not ours, and a conversation must not end over it
            return _error(f"{tool.name} failed: {str(error) or type(error).__name__}")

    async def _result(self, tool: Tool, call: partial[Any]) -> object:
        if inspect.iscoroutinefunction(tool.function):
            return await call()
        # A decorated async function gives its coroutine only here; trio takes none from a thread bare.
        (result,) = await trio.to_thread.run_sync(
            lambda: (call(),), abandon_on_cancel=True, limiter=self._threads
        )
        return await result if isinstance(result, Awaitable) else result
