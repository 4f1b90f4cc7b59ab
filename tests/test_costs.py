from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtassist.costs import (
    CONTEXT_WINDOWS,
    FREE,
    MODEL_PRICES,
    USUAL_RATE,
    Price,
    Tokens,
    context_window,
    counted,
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


def test_a_kind_whose_price_is_not_known_makes_the_whole_unknown() -> None:
    price = Price(text_in=Decimal(4), text_out=Decimal(8))
    assert price.of(Tokens(text_in=1_000_000, text_cached=500_000, text_out=1_000_000)) == 14
    assert price.of(Tokens(text_in=1, audio_in=1)) is None
    assert price.of(Tokens(unsorted_out=1)) is None
    assert FREE.of(Tokens(text_in=7, audio_out=9)) == 0


def test_tokens_add_up_by_kind() -> None:
    one, other = Tokens(text_in=1, audio_cached=2), Tokens(text_in=10, image_in=5, unsorted_in=3)
    assert one + other == Tokens(text_in=11, audio_cached=2, image_in=5, unsorted_in=3)
    assert (one + other).total == 21
    cached = CachedTokenDetails(text_tokens=60, audio_tokens=240)
    assert counted(spoken(cached=cached)) == Tokens(
        text_in=40, text_cached=60, text_out=28, audio_in=360, audio_cached=240, audio_out=136, image_in=10
    )
    assert counted(Usage(input_tokens=3, output_tokens=4)) == Tokens(unsorted_in=3, unsorted_out=4)


def test_own_rates_go_over_the_lists() -> None:
    own = {"gpt-realtime": {"audio_in": Decimal(1)}, "mine": {"minute": Decimal(6)}}
    listed, changed = price_of("gpt-realtime"), price_of("gpt-realtime", own)
    assert listed is not None
    assert changed is not None
    assert (changed.audio_in, changed.audio_out) == (Decimal(1), listed.audio_out)
    assert changed.source != listed.source
    assert transcription_cost(price_of("mine", own), DurationUsage(seconds=10)) == 1
    assert price_of("nobody's", own) is None


def test_what_a_text_takes_is_learnt_within_bounds() -> None:
    assert USUAL_RATE.estimate("x" * 300) == 100
    rate = USUAL_RATE
    for _ in range(300):
        rate = rate.learnt("word" * 50, 40)
    assert rate.estimate("x" * 500) == pytest.approx(100, rel=0.02)
    for _ in range(300):
        rate = rate.learnt("日本語の文" * 10, 75)
    assert rate.estimate("日" * 100) == pytest.approx(150, rel=0.05), "people change their language"


@pytest.mark.parametrize(
    ("text", "count"),
    [("x" * 1000, 100), ("x" * 100, 101), ("x" * 12, 4), ("", 40), ("", 0), ("x" * 40, -10)],
)
def test_a_count_that_cannot_be_of_this_text_changes_nothing(text: str, count: int) -> None:
    assert USUAL_RATE.learnt(text, count) == USUAL_RATE


@given(st.lists(st.tuples(st.text(), st.integers(-10, 10_000))))
def test_an_estimate_stays_within_a_byte_and_eight_for_a_token(counts: list[tuple[str, int]]) -> None:
    rate = USUAL_RATE
    for text, count in counts:
        rate = rate.learnt(text, count)
    assert 120 <= rate.estimate("x" * 1000) <= 1005
