"""Hearing, thinking and speaking with what is on this machine: the extra `offline`, as far as it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import trio
from attrs import frozen

from rtassist.server.parts import PartFailed, Recogniser, Synthesiser, Thinker
from rtassist.server.recognition import open_recogniser, recogniser_available
from rtassist.server.stand_in.thinker import StandIn
from rtassist.server.synthesis import open_synthesiser, synthesiser_available


@frozen(kw_only=True)
class OfflineParts:
    thinker: Thinker
    recogniser: Recogniser | None
    synthesiser: Synthesiser | None
    missing: tuple[str, ...]
    """For each wanted part that is not there, what to install: a sentence for the user."""


@asynccontextmanager
async def offline_parts(*, recogniser: bool = True, synthesiser: bool = True) -> AsyncIterator[OfflineParts]:
    """The thinker, and the other two where they are wanted and this machine has them.

    They load in child processes, from now on and in the background. One that cannot be loaded says so when it
    is used, as PartFailed. What the caller raises comes out as it is.
    """
    heard: Recogniser | None = None
    spoken: Synthesiser | None = None
    missing = []
    loading: list[Callable[[], Awaitable[None]]] = []
    raised: Exception | None = None
    async with AsyncExitStack() as stack:
        if synthesiser and not (reason := synthesiser_available()):
            spoken = mouth = await stack.enter_async_context(open_synthesiser())
            loading.append(mouth.warm)
        elif synthesiser:
            missing.append(reason)
        if recogniser and not (reason := recogniser_available()):
            heard = ears = await stack.enter_async_context(open_recogniser())
            loading.append(ears.warm)
        elif recogniser:
            missing.append(reason)
        # Inside of the children's own nurseries: what was opened last is closed first.
        async with trio.open_nursery() as nursery:
            for load in loading:
                nursery.start_soon(_warm, load)
            try:
                yield OfflineParts(
                    thinker=StandIn(), recogniser=heard, synthesiser=spoken, missing=tuple(missing)
                )
            except Exception as error:
                raised = error
            finally:
                nursery.cancel_scope.cancel()
    if raised is not None:
        raise raised


async def _warm(load: Callable[[], Awaitable[None]]) -> None:
    # Whoever uses the part tries again, and is told.
    with suppress(PartFailed):
        await load()
