"""What a setting may be. Each reader takes text or a typed value and gives the setting's value.

For anything else it raises ValueError, with words that go behind the setting's name: "must be a whole
number from 0 to 9".
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from rtassist.link.address import parse_address, split_url


class Secret:
    """A key that does not show itself: only `reveal` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        raise TypeError("a Secret is not written anywhere")


def plain_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be text and not empty")
    return value.strip()


def words(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("must be a list, or text with commas between")
    return tuple(plain_text(part) for part in parts)


SPOKEN = ("goodbye", "interrupt", "pause", "resume", "mute", "restart", "quit")
"""Commands that may be said: they need no argument, and do what nobody says by accident."""


def phrases(value: object) -> tuple[tuple[str, str], ...]:
    """Phrase and command, from a table of the config file or from text: "goodbye=see you, ciao; mute=hush".

    A phrase counts as it is heard: in lower case and without punctuation.
    """
    must = f"must be commands with what means them, as goodbye=so long; commands are {', '.join(SPOKEN)}"
    pairs: list[tuple[str, str]] = []
    if isinstance(value, Mapping):
        table = dict(value)
    else:
        parts = [part.partition("=") for part in str(value).split(";") if part.strip()]
        table = {name.strip(): said if equals else None for name, equals, said in parts}
    for name, said in table.items():
        if name not in SPOKEN:
            raise ValueError(must)
        try:
            pairs += [(" ".join(re.findall(r"[\w']+", phrase.lower())), name) for phrase in words(said)]
        except ValueError:
            raise ValueError(must) from None
    if not all(phrase for phrase, _ in pairs):
        raise ValueError(must)
    return tuple(pairs)


def a_secret(value: object) -> Secret:
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be one word of plain characters, as keys are")
    return Secret(text)


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_OUR_HEADERS = frozenset({"host", "connection", "upgrade", "content-length", "transfer-encoding"})


def http_headers(value: object) -> tuple[tuple[str, Secret], ...]:
    """`Name: value`, one a line; several as a list. The values may be keys, and show themselves no more."""
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple):
        raise ValueError("must be lines of the form Name: value")
    return tuple(_header(line) for line in lines if not isinstance(line, str) or line.strip())


def _header(line: object) -> tuple[str, Secret]:
    name, colon, value = line.partition(":") if isinstance(line, str) else ("", "", "")
    name, value = name.strip(), value.strip()
    if not colon or not value or not _HEADER_NAME.fullmatch(name):
        raise ValueError("must have the form Name: value")
    if name.lower() in _OUR_HEADERS or name.lower().startswith("sec-websocket-"):
        raise ValueError(f"must not set {name}, which belongs to the connection itself")
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"must give {name} a value of plain characters")
    return name, Secret(value)


def truncation(value: object) -> str:
    """`auto`, `disabled`, or the part of the conversation that a truncation keeps, from 0 to 1."""
    text = str(value).strip().lower()
    if text in ("auto", "disabled"):
        return text
    try:
        return str(any_number(0, 1)(value))
    except ValueError:
        raise ValueError("must be auto, disabled, or a number from 0 to 1") from None


def variable_name(value: object) -> str:
    text = plain_text(value)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise ValueError("must be the name of a variable, not a key")
    return text


_SWITCHED = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def switch(value: object) -> bool:
    switched = _SWITCHED.get(str(value).strip().lower())
    if switched is None:
        raise ValueError(f"must be one of {', '.join(_SWITCHED)}")
    return switched


def place_or_switch(value: object) -> str | bool:
    """A path; or whether at all, by the words that switch other things. A file called `on` is `./on`."""
    switched = _SWITCHED.get(str(value).strip().lower())
    return plain_text(value) if switched is None else switched


def one_of(*allowed: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if (text := str(value).strip().lower()) not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return parse


def whole_number(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = least - 1
        if isinstance(value, bool) or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return number

    return parse


def any_number(least: float, most: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if isinstance(value, bool) or not least <= number <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return number

    return parse


def socket_url(value: object) -> str:
    parse_address(text := plain_text(value))
    return text


def http_url(value: object) -> str:
    parts, _, _ = split_url(text := plain_text(value), ("http", "https"))
    if parts.username is not None:
        raise ValueError("must not hold a user name or password; there is a variable for the key")
    return text.rstrip("/")


def a_language(value: object) -> str:
    text = plain_text(value).lower()
    if not (text.isascii() and text.isalpha() and 2 <= len(text) <= 3):
        raise ValueError("must be a language's code of ISO 639, such as en or de")
    return text


PRICE_KEYS = (
    *("text_in", "text_cached", "text_out"),
    *("audio_in", "audio_cached", "audio_out"),
    *("image_in", "image_cached", "minute"),
)
"""US dollars for a million tokens of a kind, and for a minute of speech that is written down."""


def a_price(value: object) -> Mapping[str, Decimal]:
    """A table of some of PRICE_KEYS."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a table of {', '.join(PRICE_KEYS)}")
    if unknown := value.keys() - set(PRICE_KEYS):
        raise ValueError(f"has {', '.join(sorted(unknown))}; a price has {', '.join(PRICE_KEYS)}")
    return {name: _dollars(amount) for name, amount in value.items()}


def _dollars(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(-1)
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount <= 1_000_000:
        raise ValueError("must be US dollars, from 0 to 1000000")
    return amount


def a_name(value: str) -> str:
    """What is looked up as a file of that name: no path."""
    if not value.replace("-", "").replace("_", "").replace(" ", "").isalnum():
        raise ValueError("must be a name of letters, digits, spaces, - and _")
    return value
