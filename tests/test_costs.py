from decimal import Decimal

import pytest

from rtassist.costs import (
    CONTEXT_WINDOWS,
    MODEL_PRICES,
    context_window,
    price_of,
    response_cost,
    transcription_cost,
)
from rtassist.protocol.usage import (
    CachedTokenDetails,
    DurationUsage,
    InputTokenDetails,
    OutputTokenDetails,
    TokensUsage,
    UnknownUsage,
    Usage,
)


def spoken(*, cached: CachedTokenDetails | None = None) -> Usage:
    return Usage(
        input_token_details=InputTokenDetails(
            text_tokens=100,
            audio_tokens=600,
            image_tokens=10,
            cached_tokens=300,
            cached_tokens_details=cached,
        ),
        output_token_details=OutputTokenDetails(text_tokens=28, audio_tokens=136),
    )


def test_a_response_costs_each_kind_of_token_at_its_price() -> None:
    cached = CachedTokenDetails(text_tokens=60, audio_tokens=240, image_tokens=0)
    # Fresh text 40 × 4, cached 60 × 0.40; audio 360 × 32, 240 × 0.40; images 10 × 5; out 28 × 24 + 136 × 64.
    micro_dollars = 160 + 24 + 11_520 + 96 + 50 + 672 + 8_704

    assert (
        response_cost(price_of("gpt-realtime-2.1"), spoken(cached=cached))
        == Decimal(micro_dollars) / 1_000_000
    )


def test_cached_tokens_of_no_kind_count_as_fresh() -> None:
    micro_dollars = 400 + 19_200 + 50 + 672 + 8_704
    assert response_cost(price_of("gpt-realtime-2.1"), spoken()) == Decimal(micro_dollars) / 1_000_000


def test_more_cached_than_counted_is_never_paid_back() -> None:
    usage = Usage(
        input_token_details=InputTokenDetails(
            text_tokens=10, cached_tokens_details=CachedTokenDetails(text_tokens=50)
        ),
        output_token_details=OutputTokenDetails(),
    )
    assert response_cost(price_of("gpt-realtime-2.1"), usage) == Decimal("0.00002")


@pytest.mark.parametrize(
    ("model", "a_minute_of_each"),
    [
        # One minute of the user is 600 tokens, one of the assistant 1,200.
        ("gpt-realtime-2.1", "0.0960"),
        ("gpt-realtime-2", "0.0960"),
        ("gpt-realtime", "0.0960"),
        ("gpt-realtime-2025-08-28", "0.0960"),
        ("gpt-realtime-2.1-mini", "0.0300"),
        ("gpt-realtime-mini-2025-12-15", "0.0300"),
    ],
)
def test_a_minute_of_speech(model: str, a_minute_of_each: str) -> None:
    usage = Usage(
        input_token_details=InputTokenDetails(audio_tokens=600),
        output_token_details=OutputTokenDetails(audio_tokens=1200),
    )
    assert response_cost(price_of(model), usage) == Decimal(a_minute_of_each)


def test_what_the_table_does_not_know_costs_nobody_knows_what() -> None:
    assert response_cost(price_of("llama-on-my-desk"), spoken()) is None
    assert response_cost(price_of("gpt-realtime-2.1"), Usage(total_tokens=5)) is None
    assert transcription_cost(price_of("parakeet"), DurationUsage(seconds=3)) is None
    assert transcription_cost(price_of("whisper-1"), TokensUsage(input_tokens=3)) is None
    assert transcription_cost(price_of("gpt-4o-transcribe"), UnknownUsage(type="beats", fields={})) is None
    assert context_window("llama-on-my-desk") is None


def test_a_transcription_costs_by_time_or_by_tokens() -> None:
    assert transcription_cost(price_of("gpt-realtime-whisper"), DurationUsage(seconds=30)) == Decimal(
        "0.0085"
    )
    tokens = TokensUsage(input_tokens=1000, output_tokens=100)
    assert transcription_cost(price_of("gpt-4o-mini-transcribe-2025-12-15"), tokens) == Decimal("0.00175")


def test_every_priced_model_has_a_context_window() -> None:
    assert MODEL_PRICES.keys() == CONTEXT_WINDOWS.keys()
    assert context_window("gpt-realtime-2.1") == 128_000
    assert context_window("gpt-realtime-2025-08-28") == 32_000
