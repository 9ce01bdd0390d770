"""The end of a program that gives an order. Halt's steps have theirs in services/order.sh."""

import os
import select
import time
from contextlib import suppress
from pathlib import Path

from pimains.core import coming_up, state
from pimains.core.errors import PimainsError
from pimains.core.plan.text import one_line
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.orders.fifos import LINE_BYTES, WORD_FILE, open_fifo

_ANSWER_SECONDS = 10.0


def ask(run: Path, order: str, wait_seconds: float = _ANSWER_SECONDS) -> str:
    """Have the service whose /run/pimains/<instance> is `run` carry out an order; returns what it says.

    Raises PimainsError, FileNotFoundError when it is not running, PermissionError when that is not allowed.
    """
    until = time.monotonic() + wait_seconds
    directory = os.open(run / "orders", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        id_ = f"{os.getpid()}.{time.monotonic_ns()}"
        os.mkfifo(f"said.{id_}", 0o660, dir_fd=directory)
        try:
            return _answer(run, directory, id_, one_line(order), until)
        except TimeoutError:
            raise PimainsError(f"{run.name} did not answer within {wait_seconds:g} s (pimains status)") from None
        finally:
            with suppress(FileNotFoundError):  # the service has ended
                os.unlink(f"said.{id_}", dir_fd=directory)
    finally:
        os.close(directory)


def understood(run: Path) -> set[str]:
    """The words that the service whose /run/pimains/<instance> is `run` understands; none where it is not running."""
    try:
        named = {name.removeprefix(WORD_FILE) for name in os.listdir(run / "orders") if name.startswith(WORD_FILE)}
    except OSError:
        return set()
    return named | {*(state.read(run / "orders/words") or "").split()}


def ask_service(service: ServiceDirectory, order: str) -> str:
    """Have the service carry out an order; returns what it says. Raises PimainsError."""

    def attempt() -> str:
        try:
            return ask(service.run, order)
        except FileNotFoundError:
            if state.read(service.run / "unwell") is None:
                raise
            raise PimainsError(f"{service.name} takes no orders: {state.read(service.run / 'status')}") from None

    try:
        return coming_up.patiently(service, attempt)
    except PermissionError:
        raise PimainsError(f"{service.run}: root and members of group pimains may do that") from None
    except OSError:
        raise PimainsError(f"{service.name} is not running (svc -u {service.path})") from None


def _answer(run: Path, directory: int, id_: str, order: str, until: float) -> str:
    said, asked = (open_fifo(directory, name, flags) for name, flags in ((f"said.{id_}", os.O_RDWR), ("ask", os.O_WRONLY)))
    try:
        if said is None or asked is None:
            raise FileNotFoundError(f"{run / 'orders/ask'}: nobody takes orders there")
        os.fchmod(said, 0o660)
        line = f"{id_} {order}\n".encode()
        if len(line) > LINE_BYTES:
            raise PimainsError(f"an order is one line of at most {LINE_BYTES} bytes, this one would have {len(line)}")
        if not select.select([], [asked], [], max(0.0, until - time.monotonic()))[1]:
            raise TimeoutError
        os.write(asked, line)
        return _words(run, said, asked, until)
    except BrokenPipeError:
        raise FileNotFoundError(f"{run / 'orders/ask'}: nobody takes orders there any more") from None
    finally:
        for fifo in (said, asked):
            if fifo is not None:
                os.close(fifo)


def _words(run: Path, said: int, asked: int, until: float) -> str:
    poller = select.poll()
    poller.register(said, select.POLLIN)
    poller.register(asked, 0)  # an error there: its last reader has ended
    ready = dict(poller.poll(max(0.0, until - time.monotonic()) * 1000))
    if not ready:
        raise TimeoutError
    if said not in ready and not select.select([said], [], [], 0)[0]:
        raise PimainsError(f"{run.name} ended before it answered (pimains status)")
    how, _, words = os.read(said, LINE_BYTES).decode("utf-8", "replace").rstrip("\n").partition(" ")
    if how != "ok":
        raise PimainsError(words)
    return words
