"""Running a service that is a coroutine, for those whose library is asyncio."""

import asyncio
from collections.abc import Coroutine

from pimains.core.naps import Readable


def run_until_told(service: Coroutine[object, object, None], wakeup: int) -> None:
    """Run `service` until it ends; a byte at the descriptor `wakeup` cancels it, which is its time to say goodbye."""
    asyncio.run(_until_told(service, wakeup))


async def _until_told(service: Coroutine[object, object, None], wakeup: int) -> None:
    task = asyncio.ensure_future(service)
    loop = asyncio.get_running_loop()
    told = False

    def stop() -> None:
        nonlocal told
        told = True
        loop.remove_reader(wakeup)
        task.cancel()

    loop.add_reader(wakeup, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise RuntimeError("cancelled, though nobody told it to stop") from None


async def readable(file: Readable, within_seconds: float | None = None) -> bool:
    """Wait until `file` is readable; whether it was within that time."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(file.fileno(), ready.set)
    try:
        async with asyncio.timeout(within_seconds):
            await ready.wait()
        return True
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(file.fileno())
