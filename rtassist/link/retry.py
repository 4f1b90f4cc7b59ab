"""When to try again after a connection was lost, and after how long."""

from rtassist.link.closing import Close

# What openai-python (3.54, resources/realtime) takes for recoverable: the server goes away or restarts, the
# network failed, the server failed. Not: a normal end, a broken rule, a refused key or request.
RECOVERABLE = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1015})

FIRST_DELAY_MS = 500
LONGEST_DELAY_MS = 8_000


def may_come_back(close: Close) -> bool:
    """Whether a new connection could succeed where this one ended."""
    return close.code in RECOVERABLE


def delay_ms(attempt: int, chance: float) -> int:
    """How long to wait before attempt number `attempt` (1 is the first) in ms.

    Doubles from half a second up to eight, less up to a quarter so that clients that lost one server do
    not come back in one moment; `chance` in [0, 1) is the caller's random number.
    """
    full = min(FIRST_DELAY_MS * 2 ** min(attempt - 1, 16), LONGEST_DELAY_MS)
    return int(full * (1 - chance / 4))
