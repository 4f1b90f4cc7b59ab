"""The config file, its profiles and prices, the personas beside it, and the first one that is written."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from attrs import field, frozen

from rtassist.errors import Failure, foreign_text
from rtassist.setting_values import a_name
from rtassist.settings import CONFIG_KEYS, CONFIG_VARIABLE, OPTIONS, Source, Trust

PERSONAS = "personas"
_ENDINGS = (".md", ".txt")
_HEAD = """\
# Settings of rtassist. Take away the # of the lines that you want. What counts: flags, then the environment,
# then .env in the current folder, then the chosen profile below, then the lines up here, then the defaults,
# which are shown. `rtassist config` prints what counts now, and where it comes from.
"""
_TAIL = """\
# A profile goes over the lines above when it is chosen: --profile home, RTASSIST_PROFILE=home, or above
# profile = "home".
#[profiles.home]
#voice = "cedar"
#persona = "pirate"

# US dollars for a million tokens of each kind, and for a minute that a transcription model writes down: over
# the list prices, or for a model that these do not know.
#[prices."my-model"]
#text_in = 4.00
#text_cached = 0.40
#text_out = 16.00
#audio_in = 32.00
#audio_cached = 0.40
#audio_out = 64.00
#image_in = 5.00
#image_cached = 0.50
#[prices."my-transcriber"]
#minute = 0.006
"""

Table = Mapping[str, tuple[object, Source]]


@frozen
class ConfigFile:
    """What stands in it, not yet looked at: `values` and each of `profiles` by the fields of `Settings`."""

    path: Path
    values: dict[str, tuple[object, Source]] = field(factory=dict)
    profiles: dict[str, dict[str, tuple[object, Source]]] = field(factory=dict)
    prices: Table = field(factory=dict)


def config_path(environ: Mapping[str, str]) -> Path:
    """The config file: RTASSIST_CONFIG, or config.toml in the platform's folder for such files."""
    if chosen := environ.get(CONFIG_VARIABLE, "").strip():
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    return user_config_path("rtassist", appauthor=False) / "config.toml"


def read_config(environ: Mapping[str, str], problems: list[str]) -> ConfigFile:
    """The config file; empty where there is none, or none that can be read. Adds to `problems`."""
    path = config_path(environ)
    table = _table(path, problems, named=bool(environ.get(CONFIG_VARIABLE, "").strip()))
    profiles, prices = (
        dict(_tables(table.pop(group, {}), group, path, problems)) for group in ("profiles", "prices")
    )
    return ConfigFile(
        path,
        _values(table, "", path, problems),
        {name: _values(inner, f"profiles.{name}.", path, problems) for name, inner in profiles.items()},
        {name: (inner, Source(Trust.CONFIG, f"prices.{name}", str(path))) for name, inner in prices.items()},
    )


def _table(path: Path, problems: list[str], *, named: bool) -> dict[str, object]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if named:
            problems.append(f"{CONFIG_VARIABLE} (the environment) names {path}, and there is no such file.")
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read: {why(error)}.")
        return {}
    import tomllib  # as slow as all of this module, and needed only here

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not TOML: {error}.")
        return {}


def _tables(
    found: object, group: str, path: Path, problems: list[str]
) -> Iterator[tuple[str, dict[str, object]]]:
    named = found.items() if isinstance(found, dict) else [("NAME", None)]
    for name, inner in named:
        if isinstance(inner, dict):
            yield name, inner
        else:
            what = f"{group}.{foreign_text(name, (), 60)}"
            problems.append(f"{what} ({path}) must be a table: [{what}], and below it a line for each value.")


def _values(
    table: Mapping[str, object], above: str, path: Path, problems: list[str]
) -> dict[str, tuple[object, Source]]:
    """`above`: of which table, with a dot behind. A profile chooses no other profile."""
    keys = {key: name for key, name in CONFIG_KEYS.items() if not (above and name == "profile")}
    values = {}
    for name, value in table.items():
        shown = above + foreign_text(name, (), 60)
        if name in keys:
            values[keys[name]] = (value, Source(Trust.CONFIG, shown, str(path)))
        else:
            near = get_close_matches(name, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(keys)}."
            problems.append(f"{shown} ({path}) is no setting; {hint}")
    return values


def read_persona(name: str, folder: Path) -> str:
    """The instructions in `personas/NAME.md` (or .txt) in the config file's folder.

    Raises ValueError; where there is no such persona, with the names of those that there are.
    """
    a_name(name)
    files = {path.stem: path for ending in reversed(_ENDINGS) for path in _personas(folder, ending)}
    if name not in files:
        there = f"there are {', '.join(sorted(files))}" if files else "there is none yet"
        raise ValueError(f"must be a file {name}.md in {folder / PERSONAS}; {there}")
    try:
        return files[name].read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"must be a file that can be read ({why(error)})") from None


def _personas(folder: Path, ending: str) -> list[Path]:
    return [path for path in (folder / PERSONAS).glob(f"*{ending}") if path.is_file()]


def why(error: Exception) -> str:
    """Why a file of settings cannot be read, as half a sentence."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"


def write_first(path: Path) -> None:
    """Write a commented config file that changes nothing, readable by its owner only.

    Raises Failure where there is one already, or none can be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(commented())
    except OSError as error:
        if path.exists():
            raise Failure(f"{path} is there already and is not written over.") from None
        raise Failure(f"{path} cannot be written: {why(error)}.") from None


def commented() -> str:
    """`.env.example` as a config file: the same comments, and each variable's line as a key's."""
    _, _, rest = _example().partition("\n\n")
    lines: list[str] = []
    for line in rest.splitlines():
        variable, equals, value = line.removeprefix("#").partition("=")
        if not equals or " " in variable:
            lines.append(line)
        elif variable in _KEY_OF:
            lines.append(_key_line(variable, value))
        else:  # of the environment alone, and so is what is said of it
            while lines and lines[-1].startswith("# "):
                lines.pop()
    told = "\n".join(lines).strip()
    return f"{_HEAD}\n{told}\n\n{_TAIL}"


_KEY_OF = {option.metadata["variables"][0]: option for option in OPTIONS}


def _example() -> str:
    shipped = Path(__file__).with_name("env.example")  # pyproject.toml has it put there in a wheel
    return (shipped if shipped.exists() else Path(__file__).parents[1] / ".env.example").read_text("utf-8")


def _key_line(variable: str, value: str) -> str:
    default = _KEY_OF[variable].default
    if isinstance(default, bool):
        value = "true" if value == "1" else "false"
    elif not (value and isinstance(default, int | float)):
        value = f'"{value}"'
    return f"#{variable.removeprefix('RTASSIST_').lower()} = {value}"
