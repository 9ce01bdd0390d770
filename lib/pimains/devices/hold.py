"""Requests that wait to be stored together, because every commit wears the SD card."""

import asyncio

_CATCH_UP_SECONDS = 0.3  # a meter that is answered sends at once what it has measured meanwhile


class Hold:
    """Requests that wait to be stored, until somebody looks."""

    def __init__(self) -> None:
        self._somebody_looks = asyncio.Event()
        self._held = 0
        self._hurry_until = 0.0

    async def wait(self, seconds: float) -> None:
        """For so many seconds at most."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._hurry_until:
            return
        self._held += 1
        try:
            await asyncio.wait_for(self._somebody_looks.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._held -= 1

    def hurry(self) -> None:
        """Whoever sends much has waited for long: what comes right after it need not wait."""
        self._hurry_until = asyncio.get_running_loop().time() + _CATCH_UP_SECONDS

    async def let_go(self) -> None:
        """Store what waits, and what its meters send when they hear of that."""
        if self._held:
            self.hurry()
            self._somebody_looks.set()
            self._somebody_looks = asyncio.Event()
            await asyncio.sleep(_CATCH_UP_SECONDS)
