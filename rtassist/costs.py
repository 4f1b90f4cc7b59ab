"""Tokens times prices: what a response or a transcription cost, and how much a model can keep in mind.

Prices are OpenAI's list prices as of August 2026 (https://platform.openai.com/docs/pricing). They are for
showing a running figure; the bill is OpenAI's.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from attrs import frozen

from rtassist.protocol.usage import CachedTokenDetails, DurationUsage, TokensUsage, TranscriptionUsage, Usage

PRICES_FROM = "2026-08"

_MILLION = 1_000_000


@frozen
class InputPrice:
    """US dollars for a million tokens, and for a million that were in the cache."""

    fresh: Decimal
    cached: Decimal


@frozen(kw_only=True)
class ModelPrice:
    """What a million tokens of each kind cost in US dollars. Models give no images out."""

    text_in: InputPrice
    audio_in: InputPrice
    image_in: InputPrice
    text_out: Decimal
    audio_out: Decimal


def _price(text: str, audio: str, image: str) -> ModelPrice:
    """From "fresh / cached / out" for text and audio, and "fresh / cached" for images."""
    text_fresh, text_cached, text_out = map(Decimal, text.split(" / "))
    audio_fresh, audio_cached, audio_out = map(Decimal, audio.split(" / "))
    image_fresh, image_cached = map(Decimal, image.split(" / "))
    return ModelPrice(
        text_in=InputPrice(text_fresh, text_cached),
        audio_in=InputPrice(audio_fresh, audio_cached),
        image_in=InputPrice(image_fresh, image_cached),
        text_out=text_out,
        audio_out=audio_out,
    )


_LARGE_2 = _price("4 / 0.40 / 24", "32 / 0.40 / 64", "5 / 0.50")
_LARGE_1 = _price("4 / 0.40 / 16", "32 / 0.40 / 64", "5 / 0.50")
_MINI = _price("0.60 / 0.06 / 2.40", "10 / 0.30 / 20", "0.80 / 0.08")

MODEL_PRICES = {
    "gpt-realtime-2.1": _LARGE_2,
    "gpt-realtime-2": _LARGE_2,
    "gpt-realtime-1.5": _LARGE_1,
    "gpt-realtime": _LARGE_1,
    "gpt-realtime-2.1-mini": _MINI,
    "gpt-realtime-mini": _MINI,
}

# US dollars a minute of audio.
MINUTE_PRICES = {
    "gpt-realtime-translate": Decimal("0.034"),
    "gpt-realtime-whisper": Decimal("0.017"),
    "gpt-live-transcribe": Decimal("0.017"),
    "whisper-1": Decimal("0.006"),
    "gpt-transcribe": Decimal("0.0045"),
}

# US dollars for a million tokens in and out.
TRANSCRIPTION_PRICES = {
    "gpt-4o-transcribe": (Decimal("2.50"), Decimal(10)),
    "gpt-4o-mini-transcribe": (Decimal("1.25"), Decimal(5)),
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

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")

Value = TypeVar("Value")


def _of(model: str, table: Mapping[str, Value]) -> Value | None:
    """The entry of `model`, or of the model whose snapshot it is (gpt-realtime-2025-08-28)."""
    return table.get(model) or table.get(_DATE.sub("", model))


def context_window(model: str) -> int | None:
    """Tokens that a conversation with `model` may hold; None for a model that the table does not know."""
    return _of(model, CONTEXT_WINDOWS)


def response_cost(model: str, usage: Usage) -> Decimal | None:
    """What a response cost in US dollars; None for an unknown model or a usage without its details.

    Cached tokens are a part of the input tokens of their kind. Cached ones whose kind is not said count as
    fresh, so the figure may be too high, never too low.
    """
    price = _of(model, MODEL_PRICES)
    into, out = usage.input_token_details, usage.output_token_details
    if price is None or not into or not out:
        return None
    cached = into.cached_tokens_details or CachedTokenDetails()
    cost = price.text_out * (out.text_tokens or 0) + price.audio_out * (out.audio_tokens or 0)
    for rate, all_of_kind, cached_of_kind in (
        (price.text_in, into.text_tokens or 0, cached.text_tokens or 0),
        (price.audio_in, into.audio_tokens or 0, cached.audio_tokens or 0),
        (price.image_in, into.image_tokens or 0, cached.image_tokens or 0),
    ):
        cost += rate.fresh * max(all_of_kind - cached_of_kind, 0) + rate.cached * cached_of_kind
    return cost / _MILLION


def transcription_cost(model: str, usage: TranscriptionUsage) -> Decimal | None:
    """What writing down one utterance cost in US dollars; None where model and usage do not fit a price."""
    if isinstance(usage, DurationUsage):
        minute = _of(model, MINUTE_PRICES)
        return None if minute is None else minute * Decimal(str(usage.seconds or 0)) / 60
    token = _of(model, TRANSCRIPTION_PRICES)
    if token is None or not isinstance(usage, TokensUsage):
        return None
    return (token[0] * (usage.input_tokens or 0) + token[1] * (usage.output_tokens or 0)) / _MILLION
