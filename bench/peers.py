"""The clients that people would use instead, each in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from attrs import frozen
from platformdirs import user_cache_path

from bench.row import CannotDo

PINNED: Final = Path(__file__).with_name("peers.toml")
INSTALLED: Final = "installed.txt"
"""In an environment that is complete: what was asked for."""


@frozen(kw_only=True)
class Peer:
    name: str
    requires: tuple[str, ...]
    client: str
    oldest: tuple[int, ...] = ()
    """The oldest Python that it runs on, where ours may be older."""

    def folder(self) -> Path:
        return user_cache_path("rtassist", appauthor=False) / "bench" / self.name

    def python(self) -> Path:
        return self.folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def there(self) -> bool:
        try:
            return (self.folder() / INSTALLED).read_text() == "\n".join(self.requires)
        except OSError:
            return False


@cache
def peers() -> dict[str, Peer]:
    read = tomllib.loads(PINNED.read_text())
    return {
        name: Peer(
            name=name,
            requires=tuple(fields["requires"]),
            client=fields["client"],
            oldest=tuple(int(part) for part in fields.get("python", "").split(".") if part),
        )
        for name, fields in read.items()
    }


def set_up(tell: Callable[[str], None]) -> list[str]:
    """Make what is not there yet. Says for each that could not be made why."""
    failed = []
    for peer in peers().values():
        if peer.there():
            continue
        tell(f"{peer.name}: {', '.join(peer.requires)} into {peer.folder()}")
        if not (python := interpreter(peer.oldest)):
            failed.append(
                f"{peer.name}: it needs Python {dotted(peer.oldest)}, and there is none on the PATH"
            )
            continue
        subprocess.run([python, "-m", "venv", "--clear", str(peer.folder())], check=True)
        pip = [str(peer.python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *peer.requires], capture_output=True, text=True)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            failed.append(f"{peer.name}: {said[-1] if said else 'pip failed'}")
        else:
            (peer.folder() / INSTALLED).write_text("\n".join(peer.requires))
    return failed


def interpreter(oldest: tuple[int, ...]) -> str:
    """A Python that is not older; empty where there is none."""
    if sys.version_info >= oldest:
        return sys.executable
    return shutil.which(f"python{dotted(oldest)}") or ""


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def command(name: str) -> Sequence[str]:
    """What starts the client of a peer. Raises CannotDo."""
    peer = peers()[name]
    if not peer.there():
        raise CannotDo(f"not set up: {Path(sys.executable).name} -m bench --setup-peers")
    return [str(peer.python()), "-m", peer.client]
