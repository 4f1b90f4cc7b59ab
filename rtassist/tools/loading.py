"""A user's own tools: the functions of a Python file, or what an installed package offers.

Of a file, the public functions that it defines are tools, or what its `__all__` names. A package offers a
function, or a module whose functions are taken likewise, as an entry point of the group `rtassist.tools`.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rtassist.errors import SettingsWrong
from rtassist.tools.registry import Tool, tool

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "rtassist.tools"


def own_tools(files: Sequence[str], taken: Iterable[str] = ()) -> tuple[Tool, ...]:
    """The tools of these files and of the installed packages. `taken`: names that others have.

    Runs the files. Raises SettingsWrong with every problem there is: what cannot be imported, a function
    without hints, a name that two tools have.
    """
    problems: list[str] = []
    made: list[tuple[str, Tool]] = []
    for file in files:
        for function in _try(problems, file, lambda file=file: _of_file(file)):  # type: ignore[misc]  # bound now
            made += _made(problems, file, function)
    for point in _points():
        where = f"{point.dist.name if point.dist else 'a package'} ({GROUP}: {point.name})"
        for function in _try(problems, where, lambda point=point: _of_point(point)):  # type: ignore[misc]  # likewise
            made += _made(problems, where, function)
    owners = dict.fromkeys(taken, "rtassist itself")
    for where, each in made:
        if each.name in owners:
            problems.append(f"{where}: {owners[each.name]} has a tool called {each.name} already. Rename it.")
        owners.setdefault(each.name, where)
    if problems:
        raise SettingsWrong(problems)
    return tuple(each for _, each in made)


def _points() -> Iterable[EntryPoint]:
    """What packages offer. Reading all their metadata takes 30 ms of a start, and mostly none offers any."""
    mark = f"[{GROUP}]".encode()
    for folder in sys.path:
        for file in Path(folder).glob("*-info/entry_points.txt"):
            if mark in file.read_bytes():
                from importlib.metadata import entry_points

                return entry_points(group=GROUP)
    return ()


def _made(problems: list[str], where: str, function: Callable[..., Any]) -> Iterator[tuple[str, Tool]]:
    try:
        yield where, tool(function)
    except TypeError as error:
        problems.append(f"{where}: {error}.")


def _try(
    problems: list[str], where: str, load: Callable[[], list[Callable[..., Any]]]
) -> list[Callable[..., Any]]:
    try:
        # What a file prints as it is loaded is not part of the conversation.
        with redirect_stdout(sys.stderr):
            return load()
    except SettingsWrong as wrong:
        problems += [f"{where}: {problem}" for problem in wrong.problems]
    except (Exception, SystemExit) as error:  # any file may do anything
        problems.append(f"{where} cannot be loaded: {_told(error, where)}.")
    return []


def _told(error: BaseException, file: str) -> str:
    """What went wrong, and in which line of the file, where it did."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    path = str(Path(file).expanduser().resolve())
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f"{what} (line {lines[-1]})" if lines else what


def _of_file(file: str) -> list[Callable[..., Any]]:
    path = Path(file).expanduser().resolve()
    if not path.is_file():
        raise SettingsWrong(["there is no such file."])
    name = f"rtassist_tools_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingsWrong(["that is no Python file."])
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last: a file beside it must not take the place of a package
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look for it there
    spec.loader.exec_module(module)
    return _functions(module)


def _of_point(point: EntryPoint) -> list[Callable[..., Any]]:
    offered = point.load()
    return _functions(offered) if isinstance(offered, ModuleType) else [offered]


def _functions(module: ModuleType) -> list[Callable[..., Any]]:
    named = getattr(module, "__all__", None)
    found: list[Any]
    if named is None:
        found = [
            value
            for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
        ]
    else:
        found = [getattr(module, name, None) for name in named]
        wrong = [name for name, value in zip(named, found, strict=True) if not inspect.isfunction(value)]
        if wrong:
            raise SettingsWrong([f"__all__ names {name}, which is no function." for name in wrong])
    if not found:
        raise SettingsWrong(["it defines no function; each public function of it would be a tool."])
    return found
