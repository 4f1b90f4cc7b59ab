"""A device that is opened again after it was lost, for as long as it is wanted."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Generic, TypeVar

import trio

from rtassist import errors

D = TypeVar("D")
Opening = Callable[[str | None], AbstractAsyncContextManager[D | None]]
"""Opens the device of a name, None meaning the default one. Gives None, or raises errors.SoundUnavailable,
where there is no such device."""

LONGEST_S = 1.0
PATIENT_AFTER = 30
"""Attempts in vain, about half a minute: what comes back by itself is back by then."""
PATIENT_S = 5.0
"""An attempt costs 25 ms of computing where there is no sound server at all."""
SHORT_LIFE_S = 10.0
LONGEST_PUNISHMENT_S = 30.0


def wait_s(failed: int, short_lives: int) -> float:
    """How long to wait before a device is opened again.

    `failed` attempts were in vain since it was lost: from a tenth of a second doubled up to one second, and
    five in the end. The last `short_lives` devices were lost soon after they were opened: the second such
    loss and those after it are waited out, from half a second doubled up to thirty, so that a loose contact
    is not reported a hundred times.
    """
    if failed:
        return PATIENT_S if failed >= PATIENT_AFTER else min(0.1 * 2 ** min(failed - 1, 9), LONGEST_S)
    return min(0.5 * 2 ** min(short_lives - 2, 9), LONGEST_PUNISHMENT_S) if short_lives > 1 else 0.0


class Held(Generic[D]):
    """One kind of device, kept open by a task of its own: see `held`."""

    def __init__(self, open_first: AbstractAsyncContextManager[D | None], again: Opening[D] | None) -> None:
        self.device: D | None = None
        self.comes_back = again is not None
        self._open_first = open_first
        self._again = again
        self._moved_to: str | None = None
        self._there, self._lost = trio.Event(), trio.Event()

    async def after(self, lost: D | None, moved_to: str | None = None) -> D:
        """The device in place of one that is lost, once there is one; `moved_to` is where to look first.

        A cancelled call may be made again; the search goes on meanwhile.
        """
        if lost is not None and self.device is lost:
            self.device, self._moved_to, self._there = None, moved_to, trio.Event()
            self._lost.set()
        while self.device is None:
            await self._there.wait()
        return self.device

    async def _keep(
        self, names: Sequence[str | None], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        failed = short_lives = 0
        async with self._open_first as self.device:
            task_status.started()
            if self.device is not None:
                short_lives += await self._until_lost()
            else:
                failed = 1
        while self._again is not None:
            await trio.sleep(wait_s(failed, short_lives))
            async with AsyncExitStack() as stack:
                self.device = await self._open_one_of(stack, self._again, (self._moved_to, *names))
                if self.device is None:
                    failed += 1
                else:
                    self._there.set()
                    lived_short = await self._until_lost()
                    failed, short_lives = 0, short_lives + 1 if lived_short else 0

    async def _until_lost(self) -> bool:
        """Whether that was soon."""
        opened_s = trio.current_time()
        await self._lost.wait()
        self._lost = trio.Event()
        return trio.current_time() - opened_s < SHORT_LIFE_S

    async def _open_one_of(
        self, stack: AsyncExitStack, again: Opening[D], names: Sequence[str | None]
    ) -> D | None:
        for name in dict.fromkeys(name for name in names[:-1] if name is not None):
            try:
                if (device := await stack.enter_async_context(again(name))) is not None:
                    return device
            except errors.SoundUnavailable:
                continue  # what is left is the next name, and in the end the default device
        return await stack.enter_async_context(again(names[-1]))


@asynccontextmanager
async def held(
    open_first: AbstractAsyncContextManager[D | None], again: Opening[D] | None, wanted: str | None
) -> AsyncIterator[Held[D]]:
    """Hold a device open. Raises what the first opening raises; later ones are tried until one succeeds:
    where the system has moved it, the `wanted` one, the default one. `again` None: a file or pipe, opened
    once. Each device is opened and closed by one task.
    """
    holding = Held(open_first, again)
    async with trio.open_nursery() as nursery:
        await nursery.start(holding._keep, (wanted, None))
        yield holding
        nursery.cancel_scope.cancel()
