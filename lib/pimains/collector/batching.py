"""Requests that wait to be stored together, because every commit wears the SD card."""

import asyncio

_CATCH_UP_SECONDS = 0.3  # a meter that is answered sends at once what it has measured meanwhile


class Batching:
    """Requests that wait to be stored, until somebody looks."""

    def __init__(self) -> None:
        self._somebody_looks = asyncio.Event()
        self._held = 0
        self._hurry_until = self._let_go_at = float("-inf")
        self._is_over = False

    async def wait(self, seconds: float) -> None:
        """For so many seconds at most."""
        loop = asyncio.get_running_loop()
        if self._is_over or loop.time() < self._hurry_until:
            return
        self._held += 1
        try:
            async with asyncio.timeout(seconds):  # wait_for would forget that its task was cancelled at this very moment
                await self._somebody_looks.wait()
        except TimeoutError:
            return
        finally:
            self._held -= 1

    def hurry(self) -> None:
        """Whoever sends much has waited for long: what comes right after it need not wait."""
        self._hurry_until = asyncio.get_running_loop().time() + _CATCH_UP_SECONDS

    async def let_go(self, unless_within: float = 0.0) -> None:
        """Store what waits, and what its meters send when they hear of that; not if that was done `unless_within` seconds ago."""
        now = asyncio.get_running_loop().time()
        if not self._held or now - self._let_go_at < unless_within:
            return
        self._let_go_at = now
        self.hurry()
        self._somebody_looks.set()
        self._somebody_looks = asyncio.Event()
        await asyncio.sleep(_CATCH_UP_SECONDS)

    def end(self) -> None:
        """Nobody waits any more: the service stops, and what waits is stored before it does."""
        self._is_over = True
        self._somebody_looks.set()
