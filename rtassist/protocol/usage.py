"""What was used: tokens of a response, tokens or seconds of a transcription.

Cached tokens are a part of the input tokens, not an addition to them.
"""

from typing import TypeAlias

from attrs import field, frozen

from rtassist.protocol.compared import compared
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Unset


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class CachedTokenDetails:
    text_tokens: int | Unset | None = UNSET
    audio_tokens: int | Unset | None = UNSET
    image_tokens: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class InputTokenDetails:
    text_tokens: int | Unset | None = UNSET
    audio_tokens: int | Unset | None = UNSET
    image_tokens: int | Unset | None = UNSET
    cached_tokens: int | Unset | None = UNSET
    cached_tokens_details: CachedTokenDetails | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class OutputTokenDetails:
    text_tokens: int | Unset | None = UNSET
    audio_tokens: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class Usage:
    """Of one response. Every response counts the whole conversation as input again."""

    total_tokens: int | Unset | None = UNSET
    input_tokens: int | Unset | None = UNSET
    output_tokens: int | Unset | None = UNSET
    input_token_details: InputTokenDetails | Unset | None = UNSET
    output_token_details: OutputTokenDetails | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TranscriptionTokenDetails:
    text_tokens: int | Unset | None = UNSET
    audio_tokens: int | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class TokensUsage:
    """Of one transcription that is paid by tokens."""

    type: str = "tokens"
    total_tokens: int | Unset = UNSET
    input_tokens: int | Unset = UNSET
    output_tokens: int | Unset = UNSET
    input_token_details: TranscriptionTokenDetails | Unset | None = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class DurationUsage:
    """Of one transcription that is paid by time."""

    type: str = "duration"
    seconds: float | Unset = UNSET
    extras: Extras = field(default=NO_EXTRAS, hash=False)


@compared
@frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)
class UnknownUsage:
    """A usage of a kind that we have no class for; `fields` is the whole object."""

    type: str
    fields: Extras


TranscriptionUsage: TypeAlias = TokensUsage | DurationUsage | UnknownUsage
