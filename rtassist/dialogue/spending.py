"""What a conversation has used until now: tokens by kind and money, summed as the server tells it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
from attrs import frozen

from rtassist.costs import (
    NONE,
    Tokens,
    counted,
    counted_transcription,
    response_cost,
    transcription_cost,
)
from rtassist.protocol import DurationUsage

if TYPE_CHECKING:
    from rtassist.costs import Price
    from rtassist.protocol import Usage
    from rtassist.protocol.usage import TranscriptionUsage

MICRO = 1_000_000


@frozen(kw_only=True)
class Spending:
    """`usd` is at list prices, or one's own; `unpriced` counts the responses and transcriptions that it
    leaves out, for their price is not known.
    """

    responses: int = 0
    tokens: Tokens = NONE
    transcribed: Tokens = NONE
    """Of a transcription model that is paid by tokens; one that is paid by time has `transcribed_ms`."""
    transcribed_ms: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0

    def response(self, usage: Usage, price: Price | None) -> Spending:
        return attrs.evolve(
            self._paid(response_cost(price, usage)),
            responses=self.responses + 1,
            tokens=self.tokens + counted(usage),
        )

    def transcription(self, usage: TranscriptionUsage, price: Price | None) -> Spending:
        seconds = usage.seconds if isinstance(usage, DurationUsage) else 0
        return attrs.evolve(
            self._paid(transcription_cost(price, usage)),
            transcribed=self.transcribed + counted_transcription(usage),
            transcribed_ms=self.transcribed_ms + round(1000 * (seconds or 0)),
        )

    def _paid(self, usd: Decimal | None) -> Spending:
        if usd is None:
            return attrs.evolve(self, unpriced=self.unpriced + 1)
        return attrs.evolve(self, usd=self.usd + usd)

    @property
    def total_tokens(self) -> int:
        return self.tokens.total + self.transcribed.total


NOTHING = Spending()


def short(spending: Spending) -> str:
    """For a line of state: `$0.012 · 1.2k tokens`; empty before anything was used."""
    if not spending.total_tokens and not spending.usd:
        return ""
    tokens = f"{_count(spending.total_tokens)} tokens"
    if spending.unpriced and not spending.usd:
        return tokens
    return f"{'over ' if spending.unpriced else ''}{dollars(spending.usd)} · {tokens}"


def dollars(usd: Decimal) -> str:
    """`$0.012`: to a tenth of a cent below a dollar, to a cent from there on."""
    return f"${usd:.3f}" if usd < 1 else f"${usd:,.2f}"


def budget(usd: Decimal) -> str:
    """As somebody wrote it: `$0.50`, `$0.125`."""
    return f"${usd:.2f}" if usd == round(usd, 2) else f"${usd.normalize():f}"


def lines(spending: Spending, price: Price | None, model: str) -> Iterator[str]:
    """For a person, all of it."""
    answers = f"{spending.responses} answer{'' if spending.responses == 1 else 's'} of {model}"
    if not spending.unpriced:
        yield f"{answers}: {dollars(spending.usd)}" + (f", {price.source}." if price is not None else ".")
    else:
        known = f" What has one cost {dollars(spending.usd)}." if spending.usd else ""
        yield f"{answers}. No price is known for it, or for what writes down: tokens only.{known}"
    tokens = spending.tokens
    yield _row("tokens", "in", "in, cached", "out")
    for name, fresh, cached, out in (
        ("text", tokens.text_in, tokens.text_cached, tokens.text_out),
        ("audio", tokens.audio_in, tokens.audio_cached, tokens.audio_out),
        ("image", tokens.image_in, tokens.image_cached, 0),
        ("of any kind", tokens.unsorted_in, 0, tokens.unsorted_out),
    ):
        if fresh or cached or out:
            yield _row(name, f"{fresh:,}", f"{cached:,}", f"{out:,}")
    if spending.transcribed.total:
        yield _row(
            "written down", f"{spending.transcribed.audio_in:,}", "", f"{spending.transcribed.text_out:,}"
        )
    if spending.transcribed_ms:
        yield f"written down: {spending.transcribed_ms / 1000:.1f} s of speech"


def _row(name: str, fresh: str, cached: str, out: str) -> str:
    return f"{name:<12} {fresh:>9} {cached:>11} {out:>9}"


def _count(tokens: int) -> str:
    if tokens < 1000:
        return str(tokens)
    return f"{tokens / 1000:.1f}k" if tokens < 100_000 else f"{tokens / MICRO:.2f}M"
