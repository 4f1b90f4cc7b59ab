"""Two conversations side by side, turn by turn: what was said, heard, called and done otherwise."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import field, frozen

from rtassist.sessions import notation
from rtassist.sessions.reading import Asked, Record
from rtassist.sessions.repository import words_of
from rtassist.sessions.transcript import Line, ToolCall, Transcript, transcript

TOLERANCE_MS: Final = 100
"""Two runs of the same conversation differ by the network's moods; less than this nobody hears."""
_UNCOUNTED: Final = frozenset({"append", "play", "said", "awaited", "set_alarm", "clear_alarm"})
"""Effects whose number depends on how sound and words were cut into pieces on their way."""


@frozen(kw_only=True)
class Turn:
    """What the user said, and all that came of it until the user spoke again."""

    began_us: int = 0
    said: str = ""
    """Empty for what came before the user said anything."""
    answer: str = ""
    """What was heard of it."""
    cuts_ms: tuple[int | None, ...] = ()
    """Where voices were interrupted, in what was heard of each; None for what is read."""
    latency_ms: int | None = None
    """From the end of what the user said to the first sound or word of the answer."""
    calls: tuple[str, ...] = ()
    effects: tuple[tuple[str, int], ...] = ()
    """How often what was done, by name."""


@frozen
class Differing:
    """One thing that is not the same, in words. `what`: said, answer, cut, latency, calls, effects."""

    what: str
    a: str
    b: str


@frozen(kw_only=True)
class Pair:
    """A turn of each, or of one of the two; numbers count from 1. Empty `differing`: they are alike."""

    a: Turn | None
    b: Turn | None
    number_a: int
    number_b: int
    differing: tuple[Differing, ...] = field(default=())

    @property
    def alike(self) -> bool:
        return self.a is not None and self.b is not None and not self.differing


def turns(records: Iterable[Record]) -> tuple[Turn, ...]:
    """Of a recording. Raises Damaged as `transcript`."""
    done: list[tuple[int, str]] = []
    told = transcript(_counted(records, done))
    return tuple(_turns(told, done))


def _counted(records: Iterable[Record], done: list[tuple[int, str]]) -> Iterator[Record]:
    for record in records:
        if isinstance(record, Asked):
            name = _name(record.body)
            if name not in _UNCOUNTED:
                done.append((record.us, name))
        yield record


def _name(body: bytes) -> str:
    """`hush`; of an event that was sent, its type."""
    if body.startswith(b'"effect":"'):
        return body[10 : body.index(b'"', 10)].decode()
    client = notation.parse(b"{" + body).get("client")
    return str(client.get("type")) if isinstance(client, dict) else ""


def _turns(told: Transcript, done: list[tuple[int, str]]) -> Iterator[Turn]:
    entries = list(told.entries)
    starts = [i for i, entry in enumerate(entries) if isinstance(entry, Line) and entry.role == "user"]
    if not starts or starts[0] > 0:
        starts.insert(0, 0)
    # The first turn has what was done before it, too: the session's settings, the greeting.
    times = [0, *(entries[start].began_us for start in starts[1:]), told.duration_us + 1]
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(entries)
        lines = [entry for entry in entries[start:end] if isinstance(entry, Line)]
        user = lines[0] if lines and lines[0].role == "user" else None
        answers = [line for line in lines if line.role == "assistant"]
        counts = Counter(name for us, name in done if times[number] <= us < times[number + 1])
        yield Turn(
            began_us=entries[start].began_us if entries else 0,
            said=user.text.strip() if user else "",
            answer=" ".join(line.text.strip() for line in answers),
            cuts_ms=tuple(line.heard_ms for line in answers if line.cut),
            latency_ms=max((answers[0].began_us - user.ended_us) // 1000, 0) if user and answers else None,
            calls=tuple(_call(entry) for entry in entries[start:end] if isinstance(entry, ToolCall)),
            effects=tuple(sorted(counts.items())),
        )


def _call(call: ToolCall) -> str:
    return f"{call.name}({call.arguments}) → {'…' if call.output is None else call.output}"


def compared(a: tuple[Turn, ...], b: tuple[Turn, ...], tolerance_ms: int = TOLERANCE_MS) -> tuple[Pair, ...]:
    """Turns of both in their order; those with the same words are taken for the same turn."""
    keys_a, keys_b = ([" ".join(words_of(turn.said)) for turn in side] for side in (a, b))
    pairs = []
    for _, a1, a2, b1, b2 in difflib.SequenceMatcher(None, keys_a, keys_b, autojunk=False).get_opcodes():
        for offset in range(max(a2 - a1, b2 - b1)):
            one = a[a1 + offset] if a1 + offset < a2 else None
            other = b[b1 + offset] if b1 + offset < b2 else None
            differing = tuple(_differing(one, other, tolerance_ms)) if one and other else ()
            numbers = {"number_a": min(a1 + offset, a2) + 1, "number_b": min(b1 + offset, b2) + 1}
            pairs.append(Pair(a=one, b=other, differing=differing, **numbers))
    return tuple(pairs)


def _differing(a: Turn, b: Turn, tolerance_ms: int) -> Iterator[Differing]:
    if a.said != b.said:
        yield Differing("said", a.said, b.said)
    if a.answer != b.answer:
        yield Differing("answer", a.answer, b.answer)
    if not _near(a.cuts_ms, b.cuts_ms, tolerance_ms):
        yield Differing("cut", _cuts(a), _cuts(b))
    if not _near((a.latency_ms,), (b.latency_ms,), tolerance_ms):
        yield Differing("latency", _ms(a.latency_ms), _ms(b.latency_ms))
    if a.calls != b.calls:
        yield Differing("calls", "; ".join(a.calls) or "none", "; ".join(b.calls) or "none")
    if a.effects != b.effects:
        sides = (dict(set(a.effects) - set(b.effects)), dict(set(b.effects) - set(a.effects)))
        yield Differing(
            "effects",
            *(", ".join(f"{n} {name}" for name, n in sorted(side.items())) or "none" for side in sides),
        )


def _near(a: tuple[int | None, ...], b: tuple[int | None, ...], tolerance_ms: int) -> bool:
    return len(a) == len(b) and all(
        one == other or (one is not None and other is not None and abs(one - other) <= tolerance_ms)
        for one, other in zip(a, b, strict=True)
    )


def _cuts(turn: Turn) -> str:
    return (
        ", ".join("while it was read" if ms is None else f"after {ms} ms" for ms in turn.cuts_ms) or "not cut"
    )


def _ms(ms: int | None) -> str:
    return "no answer" if ms is None else f"{ms} ms"


def values(pairs: tuple[Pair, ...]) -> dict[str, Any]:
    """For programs: whether they are equal, and what differs, first divergence first."""
    return {
        "equal": all(pair.alike for pair in pairs),
        "turns": len(pairs),
        "different": [
            {
                "a": None if pair.a is None else {"turn": pair.number_a, "began_us": pair.a.began_us},
                "b": None if pair.b is None else {"turn": pair.number_b, "began_us": pair.b.began_us},
                "said": (pair.a or pair.b or Turn()).said,
                "differing": [{"what": d.what, "a": d.a, "b": d.b} for d in pair.differing],
            }
            for pair in pairs
            if not pair.alike
        ],
    }
