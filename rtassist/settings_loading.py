"""Reads the settings from flags, environment, `.env` and config file, and tells every problem at once."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import attrs

from rtassist.errors import SettingsWrong, foreign_text
from rtassist.setting_tools import mcp_servers
from rtassist.setting_values import a_secret
from rtassist.settings import CONFIG_KEYS, CONFIG_VARIABLE, OPTIONS, Settings, Source, Trust
from rtassist.settings_conflicts import contradictions


def load_here(flags: Mapping[str, object]) -> Settings:
    """`load`, with this process' environment and working folder."""
    return load(flags, os.environ, Path.cwd())


def load(flags: Mapping[str, object], environ: Mapping[str, str], folder: Path) -> Settings:
    """The settings for a command started in `folder`.

    `flags` maps fields of `Settings` to what the command line gave, None for what it did not. Reads the
    config file, `.env` in `folder`, and a file that the instructions name. Raises SettingsWrong with every
    problem there is.
    """
    problems: list[str] = []
    given: dict[str, tuple[object, Source]] = {}
    _take_config(given, environ, problems)
    _take_variables(given, _dotenv(folder / ".env", problems), Trust.DOTENV, str(folder / ".env"))
    _take_variables(given, environ, Trust.ENVIRONMENT, "the environment")
    for option in OPTIONS:
        value = flags.get(option.name)
        if value is not None and value != ():
            given[option.name] = (value, Source(Trust.FLAG, option.metadata["flag"], "the command line"))

    values: dict[str, object] = {}
    for name, (value, source) in given.items():
        option = getattr(attrs.fields(Settings), name)
        try:
            values[name] = option.metadata["parse"](value)
            if name == "instructions":
                values[name] = _instructions(str(value), source, folder)
        except ValueError as must:
            shown = "" if option.metadata["parse"] in (a_secret, mcp_servers) else f" is {_shown(value)!r}:"
            problems.append(f"{source}{shown} {must}.")
    sources = {name: source for name, (_, source) in given.items()}
    settings = Settings(**values, sources=sources)  # type: ignore[arg-type] # each was made by its field's parser
    problems += contradictions(settings, folder)
    if problems:
        raise SettingsWrong(problems)
    return settings


def _shown(value: object) -> str:
    """A wrong value, without what may be a secret in a URL, even in one that is no right URL: all before the
    last @, where a password stands, and all behind the first ?, where some put a key.
    """
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = re.sub(r"^(\w+://)?.+@", r"\1…@", text, flags=re.DOTALL)
    return foreign_text(re.sub(r"\?.+", "?…", text, flags=re.DOTALL), (), 60)


def _take_variables(
    given: dict[str, tuple[object, Source]], variables: Mapping[str, str], trust: Trust, place: str
) -> None:
    """Empty means not set, as shells have no other way to take a variable back for one command."""
    for option in OPTIONS:
        for name in option.metadata["variables"]:
            if variables.get(name, "").strip():
                given[option.name] = (variables[name], Source(trust, name, place))
                break


def _dotenv(path: Path, problems: list[str]) -> Mapping[str, str]:
    """What `path` sets. Nothing in it is expanded: ${OPENAI_API_KEY} in a URL would carry the key away."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # most folders have none

    try:
        values = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read: {_why(error)}.")
        return {}
    return {name: value for name, value in values.items() if value is not None}


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"


def config_path(environ: Mapping[str, str]) -> Path:
    """The config file: RTASSIST_CONFIG, or config.toml in the platform's folder for such files."""
    if chosen := environ.get(CONFIG_VARIABLE, "").strip():
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    return user_config_path("rtassist", appauthor=False) / "config.toml"


def _take_config(
    given: dict[str, tuple[object, Source]], environ: Mapping[str, str], problems: list[str]
) -> None:
    path = config_path(environ)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if environ.get(CONFIG_VARIABLE, "").strip():
            problems.append(f"{CONFIG_VARIABLE} (the environment) names {path}, and there is no such file.")
        return
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read: {_why(error)}.")
        return
    import tomllib  # as slow as all of this module, and needed only here

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not TOML: {error}.")
        return
    for name, value in table.items():
        if name in CONFIG_KEYS:
            given[CONFIG_KEYS[name]] = (value, Source(Trust.CONFIG, name, str(path)))
        else:
            near = get_close_matches(name, CONFIG_KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CONFIG_KEYS)}."
            problems.append(f"{foreign_text(name, (), 60)} ({path}) is no setting; {hint}")


def _instructions(value: str, source: Source, folder: Path) -> str:
    """The text itself, or that of the file that `@FILE` names, relative to `folder`."""
    if not value.startswith("@"):
        return value
    path = (folder / Path(value[1:]).expanduser()).resolve()
    if source.trust is Trust.DOTENV and not path.is_relative_to(folder.resolve()):
        # What instructions name is sent to a server: a folder must not have one's other files sent.
        raise ValueError("must name a file below the folder of that .env")
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"must name a file that can be read ({_why(error)})") from None
