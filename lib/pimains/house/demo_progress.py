"""What a demo waits for, said as it waits: on a terminal in one line that counts the seconds."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Say what is being waited for, and how long it has been."""
    is_terminal = sys.stdout.isatty()
    print(f"... {what}", end="" if is_terminal else "\n", flush=True)
    started = time.monotonic()
    ended = threading.Event()

    def count() -> None:
        while not ended.wait(1):
            if is_terminal:
                print(f"\r... {what} ({time.monotonic() - started:.0f} s)", end="", flush=True)

    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    try:
        yield
    finally:
        ended.set()
        counter.join()
        if is_terminal:
            print()
