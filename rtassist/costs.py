"""Tokens times prices: what a response or a transcription cost, and how much a model can keep in mind.

Prices are OpenAI's list prices as of August 2026 (https://platform.openai.com/docs/pricing). They are for
showing a running figure, and for stopping at one; the bill is OpenAI's.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeVar

import attrs
from attrs import frozen

from rtassist.protocol.usage import CachedTokenDetails, DurationUsage, TokensUsage, TranscriptionUsage, Usage

PRICES_FROM = "2026-08"

_MILLION = 1_000_000


@frozen(kw_only=True)
class Tokens:
    """Counted by kind; the cached ones apart from the other input of their kind. `…_unsorted`: of no kind
    that the server named.
    """

    text_in: int = 0
    text_cached: int = 0
    text_out: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    audio_out: int = 0
    image_in: int = 0
    image_cached: int = 0
    unsorted_in: int = 0
    unsorted_out: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(**{kind: getattr(self, kind) + getattr(other, kind) for kind in _KINDS})

    def by_kind(self) -> dict[str, int]:
        return {kind: getattr(self, kind) for kind in _KINDS}

    @property
    def total(self) -> int:
        return sum(self.by_kind().values())


NONE: Final = Tokens()
_KINDS: Final = tuple(field.name for field in attrs.fields(Tokens))


@frozen(kw_only=True)
class Price:
    """US dollars for a million tokens of each kind, and for a minute that is written down. None: not known.

    Models give no images out. `source` goes behind an amount in a sentence.
    """

    text_in: Decimal | None = None
    text_cached: Decimal | None = None
    text_out: Decimal | None = None
    audio_in: Decimal | None = None
    audio_cached: Decimal | None = None
    audio_out: Decimal | None = None
    image_in: Decimal | None = None
    image_cached: Decimal | None = None
    minute: Decimal | None = None
    source: str = f"at OpenAI's list prices of {PRICES_FROM}"

    def rates(self) -> dict[str, Decimal | None]:
        return {field.name: getattr(self, field.name) for field in attrs.fields(Price)[:-1]}

    def of(self, tokens: Tokens) -> Decimal | None:
        """US dollars; None if there are tokens whose price is not known. Cached ones whose price is not known
        cost as the others.
        """
        rates = self.rates()
        cost = Decimal(0)
        for kind, count in tokens.by_kind().items():
            rate = rates.get(kind)
            if rate is None and kind.endswith("_cached"):
                rate = rates[kind.replace("_cached", "_in")]
            if count and rate is None:
                return None
            cost += (rate or 0) * count
        return cost / _MILLION


FREE: Final = Price(
    **dict.fromkeys(attrs.fields_dict(Price).keys() - {"source"}, Decimal(0)),
    source="for this program's own server is free",
)


def _price(text: str, audio: str, image: str) -> Price:
    """From "fresh / cached / out" for text and audio, and "fresh / cached" for images."""
    text_fresh, text_cached, text_out = map(Decimal, text.split(" / "))
    audio_fresh, audio_cached, audio_out = map(Decimal, audio.split(" / "))
    image_fresh, image_cached = map(Decimal, image.split(" / "))
    return Price(
        text_in=text_fresh,
        text_cached=text_cached,
        text_out=text_out,
        audio_in=audio_fresh,
        audio_cached=audio_cached,
        audio_out=audio_out,
        image_in=image_fresh,
        image_cached=image_cached,
    )


_LARGE_2 = _price("4 / 0.40 / 24", "32 / 0.40 / 64", "5 / 0.50")
_LARGE_1 = _price("4 / 0.40 / 16", "32 / 0.40 / 64", "5 / 0.50")
_MINI = _price("0.60 / 0.06 / 2.40", "10 / 0.30 / 20", "0.80 / 0.08")

MODEL_PRICES: Mapping[str, Price] = {
    "gpt-realtime-2.1": _LARGE_2,
    "gpt-realtime-2": _LARGE_2,
    "gpt-realtime-1.5": _LARGE_1,
    "gpt-realtime": _LARGE_1,
    "gpt-realtime-2.1-mini": _MINI,
    "gpt-realtime-mini": _MINI,
}


def _tokens(into: str, out: str) -> Price:
    return Price(text_in=Decimal(into), audio_in=Decimal(into), text_out=Decimal(out))


TRANSCRIBER_PRICES: Mapping[str, Price] = {
    "gpt-realtime-translate": Price(minute=Decimal("0.034")),
    "gpt-realtime-whisper": Price(minute=Decimal("0.017")),
    "gpt-live-transcribe": Price(minute=Decimal("0.017")),
    "whisper-1": Price(minute=Decimal("0.006")),
    "gpt-transcribe": Price(minute=Decimal("0.0045")),
    "gpt-4o-transcribe": _tokens("2.50", "10"),
    "gpt-4o-mini-transcribe": _tokens("1.25", "5"),
}

# Tokens that a conversation with the model may hold, what it is about to say included.
CONTEXT_WINDOWS = {
    "gpt-realtime-2.1": 128_000,
    "gpt-realtime-2.1-mini": 128_000,
    "gpt-realtime-2": 128_000,
    "gpt-realtime-1.5": 32_000,
    "gpt-realtime": 32_000,
    "gpt-realtime-mini": 32_000,
}

_SHORTEST_SAMPLE_TOKENS: Final = 5
_REMEMBERED_TOKENS: Final = 4_000
_FEWEST_BYTES, _MOST_BYTES = 1, 8


@frozen
class TextRate:
    """How much UTF-8 makes a token: `nbytes` in `tokens`, learnt from what a server has counted.

    It begins with three bytes for one. English has four (https://help.openai.com/en/articles/4936856), other
    scripts have fewer letters and more bytes to a token: so the estimate is rather too high.
    """

    nbytes: int = 600
    tokens: int = 200

    def estimate(self, text: str) -> int:
        """About so many tokens does a text take."""
        return len(text.encode(errors="replace")) * self.tokens // self.nbytes

    def learnt(self, text: str, tokens: int) -> "TextRate":
        """With this text, that the server has counted as so many tokens.

        A count that cannot be of this text alone, as where a model's reasoning is in it, changes nothing; and
        of what was learnt long ago half is forgotten, for people change their language.
        """
        nbytes = len(text.encode(errors="replace"))
        if tokens < _SHORTEST_SAMPLE_TOKENS or not _FEWEST_BYTES * tokens <= nbytes <= _MOST_BYTES * tokens:
            return self
        nbytes, tokens = self.nbytes + nbytes, self.tokens + tokens
        if tokens > _REMEMBERED_TOKENS:
            nbytes, tokens = nbytes // 2, tokens // 2
        return TextRate(nbytes, tokens)


USUAL_RATE: Final = TextRate()

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")

Value = TypeVar("Value")


def _of(model: str, table: Mapping[str, Value]) -> Value | None:
    """The entry of `model`, or of the model whose snapshot it is (gpt-realtime-2025-08-28)."""
    return table.get(model) or table.get(_DATE.sub("", model))


def context_window(model: str) -> int | None:
    """Tokens that a conversation with `model` may hold; None for a model that the table does not know."""
    return _of(model, CONTEXT_WINDOWS)


def price_of(model: str, own: Mapping[str, Mapping[str, Decimal]] | None = None) -> Price | None:
    """The price of a model, or of the one whose snapshot it is; `own` rates go over the list's. None: not
    known.
    """
    listed = _of(model, {**MODEL_PRICES, **TRANSCRIBER_PRICES})
    if (rates := (own or {}).get(model)) is None:
        return listed
    return attrs.evolve(listed or Price(), **rates, source="at the config file's prices")


def counted(usage: Usage) -> Tokens:
    """The tokens of a response. Cached tokens are a part of the input tokens of their kind; ones whose kind
    is not said count as fresh, so that a cost may be too high, never too low.
    """
    into, out = usage.input_token_details, usage.output_token_details
    if not into or not out:
        return Tokens(unsorted_in=usage.input_tokens or 0, unsorted_out=usage.output_tokens or 0)
    cached = into.cached_tokens_details or CachedTokenDetails()
    return Tokens(
        text_in=max((into.text_tokens or 0) - (cached.text_tokens or 0), 0),
        text_cached=cached.text_tokens or 0,
        text_out=out.text_tokens or 0,
        audio_in=max((into.audio_tokens or 0) - (cached.audio_tokens or 0), 0),
        audio_cached=cached.audio_tokens or 0,
        audio_out=out.audio_tokens or 0,
        image_in=max((into.image_tokens or 0) - (cached.image_tokens or 0), 0),
        image_cached=cached.image_tokens or 0,
    )


def response_cost(price: Price | None, usage: Usage) -> Decimal | None:
    """What a response cost in US dollars; None without a price, or for a usage without its details."""
    known = price is not None and usage.input_token_details and usage.output_token_details
    return price.of(counted(usage)) if price is not None and known else None


def counted_transcription(usage: TranscriptionUsage) -> Tokens:
    """The tokens of a transcription, what it heard as audio; none of one that is paid by time."""
    if not isinstance(usage, TokensUsage):
        return Tokens()
    return Tokens(audio_in=usage.input_tokens or 0, text_out=usage.output_tokens or 0)


def transcription_cost(price: Price | None, usage: TranscriptionUsage) -> Decimal | None:
    """What writing down one utterance cost in US dollars; None where price and usage do not fit."""
    if price is None:
        return None
    if isinstance(usage, DurationUsage):
        seconds = Decimal(str(usage.seconds or 0))
        return None if price.minute is None else price.minute * seconds / 60
    return price.of(counted_transcription(usage)) if isinstance(usage, TokensUsage) else None
