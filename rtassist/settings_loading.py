"""Reads the settings from flags, environment, `.env` and config file, and tells every problem at once."""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import attrs

from rtassist.config_file import ConfigFile, config_path, read_config, read_persona, why
from rtassist.errors import SettingsWrong, foreign_text
from rtassist.setting_tools import mcp_servers
from rtassist.setting_values import a_price, a_secret, http_headers, variable_name
from rtassist.settings import OPTIONS, Settings, Source, Trust
from rtassist.settings_conflicts import contradictions

Given = dict[str, tuple[object, Source]]
"""What one source or several say: of a field, the value as it is written there, and where that is."""


def load_here(flags: Mapping[str, object]) -> Settings:
    """`load`, with this process' environment and working folder."""
    return load(flags, os.environ, Path.cwd())


def load(flags: Mapping[str, object], environ: Mapping[str, str], folder: Path) -> Settings:
    """The settings for a command started in `folder`.

    `flags` maps fields of `Settings` to what the command line gave, None for what it did not. Reads the
    config file, `.env` in `folder`, and a file that the instructions or the persona name. Raises
    SettingsWrong with every problem there is.
    """
    problems: list[str] = []
    flagged = _flagged(flags)
    environment = _variables(environ, Trust.ENVIRONMENT, "the environment")
    in_folder = _dotenv(folder / ".env", problems)
    dotenv = _variables(in_folder, Trust.DOTENV, str(folder / ".env"))
    config = read_config(environ, problems)
    profile = next(
        (layer["profile"] for layer in (flagged, environment, dotenv, config.values) if "profile" in layer),
        None,
    )
    given: Given = {}
    for layer in (config.values, _profile(config, profile, problems), dotenv, environment, flagged):
        _put_over(given, layer, problems)
    _take_named_key(given, environ, in_folder, problems)

    values: dict[str, object] = {}
    for name, (value, source) in given.items():
        option = getattr(attrs.fields(Settings), name)
        try:
            values[name] = option.metadata["parse"](value)
            if name == "instructions":
                values[name] = _instructions(str(value), source, folder)
            elif name == "persona":
                values["instructions"] = read_persona(str(values[name]), config_path(environ).parent)
        except ValueError as must:
            secret = option.metadata["parse"] in (a_secret, http_headers, mcp_servers, variable_name)
            shown = "" if secret else f" is {_shown(value)!r}:"
            problems.append(f"{source}{shown} {must}.")
    sources = {name: source for name, (_, source) in given.items()}
    if "persona" in sources:
        sources["instructions"] = sources["persona"]
    values["prices"] = _prices(config, problems)
    settings = Settings(**values, sources=sources)  # type: ignore[arg-type] # each was made by its field's parser
    problems += contradictions(settings, folder)
    if problems:
        raise SettingsWrong(problems)
    return settings


def _take_named_key(
    given: Given, environ: Mapping[str, str], dotenv: Mapping[str, str], problems: list[str]
) -> None:
    """The key out of the variable that a setting names. It is trusted as far as whoever named it: a folder's
    .env must not have one's other secrets sent, so it can name a variable of its own alone.
    """
    named = given.get("api_key_env")
    if named is None or not isinstance(named[0], str):
        return
    name, source = named[0].strip(), named[1]
    if source.trust is not Trust.DOTENV and environ.get(name, "").strip():
        key_source = Source(min(source.trust, Trust.ENVIRONMENT), name, "the environment")
        given["api_key"] = (environ[name], key_source)
    elif dotenv.get(name, "").strip():
        given["api_key"] = (dotenv[name], Source(Trust.DOTENV, name, ".env"))
    elif name.isidentifier():
        problems.append(f"{source} names the variable {name}, and that is not set.")


def _shown(value: object) -> str:
    """A wrong value, without what may be a secret in a URL, even in one that is no right URL: all before the
    last @, where a password stands, and all behind the first ?, where some put a key.
    """
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = re.sub(r"^(\w+://)?.+@", r"\1…@", text, flags=re.DOTALL)
    return foreign_text(re.sub(r"\?.+", "?…", text, flags=re.DOTALL), (), 60)


def _put_over(given: Given, layer: Mapping[str, tuple[object, Source]], problems: list[str]) -> None:
    """What a later source says goes over what an earlier one does; a persona over instructions, and back."""
    if "persona" in layer and "instructions" in layer:
        problems.append(
            f"{layer['persona'][1]} and {layer['instructions'][1]} both say what the assistant is to be "
            "like. Leave out one of the two."
        )
    for name, other in (("persona", "instructions"), ("instructions", "persona")):
        if name in layer:
            given.pop(other, None)
    given.update(layer)


def _flagged(flags: Mapping[str, object]) -> Given:
    return {
        option.name: (value, Source(Trust.FLAG, option.metadata["flag"], "the command line"))
        for option in OPTIONS
        if (value := flags.get(option.name)) is not None and value != ()
    }


def _variables(variables: Mapping[str, str], trust: Trust, place: str) -> Given:
    """Empty means not set, as shells have no other way to take a variable back for one command."""
    return {
        option.name: (variables[name], Source(trust, name, place))
        for option in OPTIONS
        for name in reversed(option.metadata["variables"])  # the first one counts most
        if variables.get(name, "").strip()
    }


def _profile(config: ConfigFile, chosen: tuple[object, Source] | None, problems: list[str]) -> Given:
    if chosen is None:
        return {}
    name, source = chosen
    if (profile := config.profiles.get(str(name).strip())) is not None:
        return profile
    there = f"it has {', '.join(config.profiles)}" if config.profiles else "it has none"
    problems.append(f"{source} is {_shown(name)!r}: {config.path} has no such profile; {there}.")
    return {}


def _prices(config: ConfigFile, problems: list[str]) -> dict[str, Mapping[str, Decimal]]:
    found = {}
    for model, (value, source) in config.prices.items():
        try:
            found[model] = a_price(value)
        except ValueError as must:
            problems.append(f"{source} {must}.")
    return found


def _dotenv(path: Path, problems: list[str]) -> Mapping[str, str]:
    """What `path` sets. Nothing in it is expanded: ${OPENAI_API_KEY} in a URL would carry the key away."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # most folders have none

    try:
        values = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read: {why(error)}.")
        return {}
    return {name: value for name, value in values.items() if value is not None}


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
        raise ValueError(f"must name a file that can be read ({why(error)})") from None
