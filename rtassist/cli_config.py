"""`rtassist config` on the command line, and how settings are shown; it loads nothing else until it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtassist.flags import examples

if TYPE_CHECKING:
    from pathlib import Path

    from rtassist.settings import Settings

EPILOG = (
    examples(
        "rtassist config --init",
        "rtassist config | grep -v 'the default'",
        "RTASSIST_VOICE=cedar rtassist config --profile home",
        "rtassist config --json | jq .settings.voice.value",
    )
    + "\n\nWhat counts: flags, the environment, .env in the current folder, the chosen profile of the config "
    "file, its other lines, the defaults. Keys are never shown. --json: one object of config, profile, "
    "settings (of each: value, source {kind, name, place}; kind is flag, environment, dotenv, config or "
    "default) and prices."
    "\n\nExit codes: 0 shown or written, 1 the file is there already or cannot be written, 2 wrong settings."
)


def config(
    init: Annotated[
        bool, typer.Option("--init", help="Write a config file in which every setting is explained.")
    ] = False,
    path: Annotated[bool, typer.Option("--path", help="Print where the config file lies.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="As it would be with this profile.")
    ] = None,
) -> None:
    """Show every setting, and where its value comes from."""
    import os

    from rtassist.config_file import config_path, write_first

    if init and path:
        raise typer.BadParameter("--init writes the file, --path only names it. Leave out one of the two.")
    file = config_path(os.environ)
    if init:
        write_first(file)
        told = f"{file} is written: every setting is explained in it, and none is changed."
    elif path:
        told = str(file)
    else:
        from rtassist.settings_loading import load_here

        settings = load_here({"profile": profile})
        told = _json(settings, file) if as_json else "\n".join(_lines(settings, file))
    typer.echo(told)


def _lines(settings: Settings, file: Path) -> list[str]:
    """As they would stand in the file, each with where it comes from; for a terminal, within its width."""
    import shutil
    import sys

    from rtassist.settings import CONFIG_KEYS

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    told = [f"# {file}" + ("" if file.exists() else " (not there yet: rtassist config --init)")]
    for key, name in CONFIG_KEYS.items():
        source = str(settings.source(name)) if name in settings.sources else "the default"
        told += _line(f"{key} = {_toml(shown(settings, name))}", source, width)
    for model, price in settings.prices.items():
        told += ["", f'[prices."{model}"]', *(f"{kind} = {usd}" for kind, usd in price.items())]
    return told


def _line(value: str, source: str, width: int) -> list[str]:
    line = f"{value:<40}  # {source}"
    if not width or len(line) <= width:
        return [line]
    cut = value if len(value) <= width else value[: width - 1] + "…"
    return [f"# {source}:", cut]


def _toml(value: Any) -> str:
    import json

    return "" if value is None else json.dumps(value, ensure_ascii=False)


def shown(settings: Settings, name: str) -> Any:
    """A setting's value as it may be shown, for JSON: no key, and no URL with what may be one."""
    from rtassist.recording import without_secrets
    from rtassist.settings import KEYS, Secret

    value = getattr(settings, name)
    if isinstance(value, Secret):
        return "(hidden)"
    if value is not None and name in KEYS.values():
        return without_secrets(value)
    return list(value) if isinstance(value, tuple) else value


def _json(settings: Settings, file: Path) -> str:
    import json

    from rtassist.settings import CONFIG_KEYS

    values = {}
    for key, name in CONFIG_KEYS.items():
        source = settings.source(name)
        where = {"kind": source.trust.name.lower(), "name": source.name, "place": source.place}
        values[key] = {"value": shown(settings, name), "source": where}
    told = {
        "config": str(file),
        "profile": settings.profile,
        "settings": values,
        "prices": {
            model: {kind: float(usd) for kind, usd in price.items()}
            for model, price in settings.prices.items()
        },
    }
    return json.dumps(told, ensure_ascii=False, indent=2)
