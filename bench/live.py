"""`--live`: the turn's waterfall with a real endpoint, which is asked for first, with what it will cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

import trio
from attrs import evolve, field, frozen

from bench.program import environ
from bench.row import Row, Samples
from bench.turn import QUESTIONS, ROWS, SERVER_CPU, Relay, through
from rtassist import costs
from rtassist.protocol import CachedTokenDetails, InputTokenDetails, OutputTokenDetails, Usage

TURNS: Final = 4
LISTENED_S: Final = 6.0
"""Of microphone for a turn: the question, the pause behind it; what is silence is not billed."""
ANSWER_S: Final = 12.0
"""Longer than models answer such questions; the conversation goes with each turn once more."""
IN_A_SECOND, OUT_A_SECOND = 10, 20
"""Tokens of audio: one for 100 ms of the user, one for 50 ms of the assistant (OpenAI's pricing page)."""


@frozen(kw_only=True)
class Live:
    url: str
    model: str
    key: str = field(repr=False)
    place: str
    """The variable that the key stands in."""


def live(variables: Mapping[str, str]) -> Live | str:
    """The endpoint, or why there is none."""
    for name in ("RTASSIST_API_KEY", "OPENAI_API_KEY"):
        if key := variables.get(name, "").strip():
            url = variables.get("RTASSIST_URL", "").strip() or "wss://api.openai.com/v1/realtime"
            model = variables.get("RTASSIST_MODEL", "").strip() or "gpt-realtime-2.1"
            return Live(url=url, model=model, key=key, place=name)
    return "--live needs a key: set OPENAI_API_KEY, and RTASSIST_URL for another endpoint than OpenAI's."


def about_usd(model: str, turns: int = TURNS + 1) -> Decimal | None:
    """An upper estimate for so many turns, nothing of them cached; None for a model without a known price."""
    heard = spoken = 0
    total = Decimal(0)
    for _ in range(turns):
        heard += int(LISTENED_S * IN_A_SECOND)
        usage = Usage(
            input_token_details=InputTokenDetails(
                text_tokens=200, audio_tokens=heard + spoken, cached_tokens_details=CachedTokenDetails()
            ),
            output_token_details=OutputTokenDetails(
                text_tokens=60, audio_tokens=int(ANSWER_S * OUT_A_SECOND)
            ),
        )
        spoken += int(ANSWER_S * OUT_A_SECOND)
        cost = costs.response_cost(costs.price_of(model), usage)
        if cost is None:
            return None
        total += cost
    return total


def agreed(to: Live, ask: Callable[[str], str]) -> bool:
    """Whether the user wants that, by what `ask` gives for the question. No answer is no."""
    usd = about_usd(to.model)
    cost = "what it costs is not known" if usd is None else f"it costs about ${usd:.2f} or less"
    question = (
        f"This holds {TURNS + 1} short spoken turns with {to.model} at {to.url}, with the key in {to.place}; "
        f"{cost}. Go on? [y/N] "
    )
    try:
        return ask(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def row(to: Live) -> Row:
    """The row of turns with that endpoint. What its processor does is nobody's business but its own."""
    (turn,) = ROWS
    return evolve(
        turn,
        name="turn, live",
        measures=f"{turn.measures.split(', with its own server')[0]}, with {to.model} at {to.url}.",
        figures=tuple(figure for figure in turn.figures if figure.name != SERVER_CPU),
        once=partial(_turns, to),
        rounds=1,
        quick_rounds=1,
    )


def _turns(to: Live, contender: str, quick: bool) -> Samples:
    environ()
    relay = Relay(to.url, (("Authorization", f"Bearer {to.key}"),))
    return trio.run(through, relay, len(QUESTIONS) if quick else TURNS, ("--model", to.model))
