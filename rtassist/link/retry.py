"""Whether to try again after a connection was lost, or did not come about."""

from rtassist.link.closing import Close

# What openai-python (3.54, resources/realtime) takes for recoverable: the server goes away or restarts, the
# network failed, the server failed. Not: a normal end, a broken rule, a refused key or request.
RECOVERABLE = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1015})

# Refusals that pass by themselves: too many requests, and a server that has too much to do.
PASSING = frozenset({"rate_limit_exceeded", "slow_down", "server_is_overloaded", "session_limit_reached"})


def may_come_back(close: Close) -> bool:
    """Whether a new connection could succeed where this one ended."""
    return close.code in RECOVERABLE


def worth_another_try(code: str | None) -> bool:
    """Whether a server that refused a connection with this code of its own may take the next one."""
    return code in PASSING
