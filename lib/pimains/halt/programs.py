"""The programs of one shutdown, steps and HALT_COMMAND: what they are told, and where people see how far they are."""

import os
from collections.abc import Callable, Generator

from pimains.core.instance import Instance
from pimains.core.naps import Nap, Readable
from pimains.core.process.program import Beside, Ending, run_for
from pimains.shared.halt_request import HaltRequest

_LOGGED_BYTES = 9_900  # a tenth of what multilog keeps of a service: four files of 25 kB
_STAMP_BYTES = 26  # multilog's


class HaltPrograms:
    """For one shutdown, whose `request` may be another's as it goes on; `beside` is looked after while one runs."""

    def __init__(self, me: Instance, request: Callable[[], HaltRequest], beside: Beside) -> None:
        self._me = me
        self._request = request
        self._beside = beside
        self._logged: dict[str, int] = {}

    def run(
        self, where: str, name: str, words: list[str], seconds: float, *, at_first: str = "", well: bool = True, **more: str
    ) -> Generator[Nap, tuple[Readable, ...], Ending]:
        """Run one for `seconds` at most, looking around meanwhile; `more` goes into its environment.

        `where` tells people what is under way, or `at_first` does until the program says something; what it says is added to that.
        """
        request = self._request()
        environment = {
            **os.environ,
            "PIMAINS_REASON": request.reason,
            "PIMAINS_REQUESTER": request.requester,
            "PIMAINS_BUDGET_SECONDS": f"{seconds:g}",
            "PIMAINS_SERVICEDIR": str(self._me.directory.parent),
            **({"PIMAINS_REHEARSAL": "1"} if request.is_rehearsal else {}),
            **more,
        }

        def say(line: str) -> None:
            self._log(name, line)
            self._me.status(f"{where}: {line}", well=well)

        self._me.status(at_first or where, well=well)
        return (yield from run_for(seconds, words, environment, say, self._me.clock, self._beside))

    def _log(self, name: str, line: str) -> None:
        """What one program says, however often it is run, takes a tenth of the log at most: the others' words stay there, too."""
        before = self._logged.get(name, 0)
        self._logged[name] = before + len(f"{name}: {line}\n".encode()) + _STAMP_BYTES
        if self._logged[name] <= _LOGGED_BYTES:
            print(f"{name}: {line}")
        elif before <= _LOGGED_BYTES:
            print(f"{name}: (prints more than is logged)")
