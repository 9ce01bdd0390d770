"""Running a service that is a coroutine, for those whose library is asyncio."""

import asyncio
import signal
from collections.abc import Coroutine


def run_until_told(service: Coroutine[object, object, None]) -> None:
    """Run `service` until it ends; TERM and INT cancel it, which is its time to say goodbye."""
    asyncio.run(_until_told(service))


async def _until_told(service: Coroutine[object, object, None]) -> None:
    task = asyncio.ensure_future(service)
    loop = asyncio.get_running_loop()
    told = False

    def stop() -> None:
        nonlocal told
        told = True
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise
