"""What can go wrong through no fault of the program, in the user's words, each with its exit code.

A `Failure` is for the edge of the world: settings, network, devices. It is shown as one line without a
traceback. Anything else that comes out of the program is a bug and exits with `EXIT_BUG`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

EXIT_OK = 0
EXIT_DIFFERENT = 1  # as diff and grep report what is not alike, or not found
EXIT_UNREADABLE = 2
EXIT_BUG = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
EXIT_OUTPUT_CLOSED = 141  # 128 + SIGPIPE, as shells report a program that wrote where nobody reads


class Failure(Exception):  # noqa: N818 - what the user meets is a failure, not a mistake in the program
    """Something that the user can understand and act on.

    `happened` says what happened and why, and `advice` what to do or to check; `message` is both, without a
    secret. `exit_code` is what the process ends with when nobody handles it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, happened: str, *, advice: str = "") -> None:
        self.message = f"{happened} {advice}".rstrip()
        super().__init__(self.message)
        self.happened = happened

    def __str__(self) -> str:
        return self.message


class SettingsWrong(Failure):
    """Flags, variables or the config file hold what cannot be used: every problem at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class CannotConnect(Failure):
    """No connection came about: name, network, proxy, certificate, or silence until the deadline."""

    exit_code = 3


class Refused(Failure):
    """The server was reached and said no: bad key, unknown model, no quota. `code` is its own, if any."""

    exit_code = 4

    def __init__(self, happened: str, *, code: str | None = None, advice: str = "") -> None:
        super().__init__(happened, advice=advice)
        self.code = code


class LinkFailed(Failure):
    """The connection was lost in the middle of a conversation."""

    exit_code = 5


class NoRealtime(Failure):
    """What answered does not speak the Realtime protocol."""

    exit_code = 6


class SoundUnavailable(Failure):
    """A device that was asked for by name cannot be had."""

    exit_code = 7


# Shapes of OpenAI's keys (sk-…, sk-proj-…) and client secrets (ek_…), also when partly masked, and of an
# authorization header's value. Matched besides the known secrets: a server may quote a key we never held.
_KEY_SHAPES = re.compile(r"\b(?:sk|ek)[-_][A-Za-z0-9_*\-]{6,}|(?<=Bearer )[^\s\"',]{6,}")


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with every one of `secrets`, and whatever looks like an API key, replaced by `[secret]`.

    The longest secret goes first, so that one that contains another leaves nothing behind.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return _KEY_SHAPES.sub("[secret]", text)


def foreign_text(text: str, secrets: Iterable[str] = (), limit: int = 300) -> str:
    """Text that a stranger wrote, fit for one line of a terminal.

    Control characters (a terminal would obey them) and line breaks become spaces, secrets go, and what is
    longer than `limit` characters ends in `…`.
    """
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = without_secrets(" ".join(printable.split()), secrets)
    return line if len(line) <= limit else line[: limit - 1] + "…"
