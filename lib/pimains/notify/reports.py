"""What becomes of test messages: the service writes it down address by address, `pimains notify --test` reads it.

    /var/lib/pimains/notify/test   of each of the newest its id, then a line `NAME<tab>WORDS` for each address

Each is answered within the time that one delivery may take, also where an address is busy with something else.
"""

import contextlib
from pathlib import Path

from pimains.core import notify_queue, state
from pimains.core.clock import Clock

NOT_KNOWN = "not known yet"
_NOT_TRIED = "queued, not tried yet: busy with an earlier message"
_UNDER_WAY = "under way: no end yet"
_A_MOMENT_SECONDS = 0.5  # for a delivery that takes all of its time to be noted
_KEPT = 8


def _path() -> Path:
    return notify_queue.directory() / "test"


def read() -> dict[str, dict[str, str]]:
    """What is known of each test by its id: words by the name of the address."""
    found: dict[str, dict[str, str]] = {}
    report: dict[str, str] = {}
    for line in (state.read(_path()) or "").splitlines():
        name, is_address, words = line.partition("\t")
        if is_address:
            report[name] = words
        else:
            report = found[line] = {}
    return found


class Reports:
    """The service's end; those of before a restart are gone on with. `seconds_max` is what one delivery may take."""

    def __init__(self, clock: Clock, seconds_max: float) -> None:
        self._clock = clock
        self._seconds = seconds_max + _A_MOMENT_SECONDS
        self._reports = read()
        self._until = dict.fromkeys(self._reports, clock.monotonic() + self._seconds)

    def begin(self, test: str, addresses: list[str]) -> None:
        """A test was fetched that goes to the `addresses` with these names."""
        self._reports[test] = dict.fromkeys(addresses, NOT_KNOWN)
        self._until[test] = self._clock.monotonic() + self._seconds
        for oldest in list(self._reports)[:-_KEPT]:
            del self._reports[oldest], self._until[oldest]
        self._write()

    def tell(self, test: str, address: str, words: str) -> None:
        """How the delivery to `address` ended, if anybody asked."""
        if address in self._reports.get(test, {}):
            self._reports[test][address] = words
            self._write()

    def unanswered(self, address: str) -> list[str]:
        """The ids of the tests whose fate at `address` nobody was told, the newest first."""
        return [test for test, report in reversed(self._reports.items()) if report.get(address) == NOT_KNOWN]

    def seconds_to_wait(self) -> float:
        """Until somebody has waited long enough."""
        waiting = [self._until[test] for test, report in self._reports.items() if NOT_KNOWN in report.values()]
        return min(waiting, default=float("inf")) - self._clock.monotonic()

    def answer_those_that_are_due(self, under_way: set[tuple[str, str]]) -> None:
        """Tell those who have waited long enough how far it is; `under_way`: which test is just being delivered to which address."""
        for test, report in self._reports.items():
            late = [address for address, words in report.items() if words == NOT_KNOWN]
            if late and self._clock.monotonic() >= self._until[test]:
                report.update({address: _UNDER_WAY if (test, address) in under_way else _NOT_TRIED for address in late})
                self._write()

    def _write(self) -> None:
        lines = [line for test, report in self._reports.items() for line in (test, *(f"{name}\t{said}" for name, said in report.items()))]
        with contextlib.suppress(OSError):
            state.write(_path(), "\n".join(lines))
