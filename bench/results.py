"""Results of a run as JSON, to be kept and compared."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import attrs
import orjson
from attrs import frozen

from bench.figures import Figure, Measured

FORMAT: Final = "rtassist bench"
VERSION: Final = 1


class NoResults(Exception):  # noqa: N818  # what a file turned out to be
    """The file does not hold results of this suite."""


@frozen(kw_only=True)
class Results:
    made: str
    """When the run began, ISO 8601."""
    machine: dict[str, str]
    measured: tuple[Measured, ...]


def machine() -> dict[str, str]:
    """What decides about absolute times."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def results(began: datetime, measured: Sequence[Measured]) -> Results:
    return Results(made=began.isoformat(timespec="seconds"), machine=machine(), measured=tuple(measured))


def to_json(kept: Results) -> bytes:
    """`measured`: one object for each row, figure and contender, its samples round by round."""
    fields = {"format": FORMAT, "version": VERSION, **attrs.asdict(kept)}
    return orjson.dumps(fields, option=orjson.OPT_INDENT_2)


def from_json(text: bytes) -> Results:
    """Raises NoResults."""
    try:
        fields = orjson.loads(text)
        if fields["format"] != FORMAT or fields["version"] != VERSION:
            raise NoResults(f"These are results of version {fields['version']!r}, not {VERSION}.")
        return Results(
            made=fields["made"],
            machine=fields["machine"],
            measured=tuple(_measured(each) for each in fields["measured"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NoResults(f"This is no file of results ({error}).") from None


def _measured(fields: dict[str, Any]) -> Measured:
    return Measured(
        row=fields["row"],
        figure=Figure(**fields["figure"]),
        contender=fields["contender"],
        rounds=tuple(tuple(float(sample) for sample in samples) for samples in fields["rounds"]),
        cannot=fields["cannot"],
    )
