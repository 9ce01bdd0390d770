"""The programs of one shutdown, steps and HALT_COMMAND: what they are told, and where people see how far they are."""

import os
from collections.abc import Generator

from pimains.core.instance import Instance
from pimains.core.naps import Nap, Readable
from pimains.core.process.program import Beside, Ending, run_for
from pimains.shared.halt_request import HaltRequest


class HaltPrograms:
    """For one request; `beside` is looked after while one runs."""

    def __init__(self, me: Instance, request: HaltRequest, beside: Beside) -> None:
        self._me = me
        self._request = request
        self._beside = beside

    def run(self, where: str, name: str, words: list[str], seconds: float, **more: str) -> Generator[Nap, tuple[Readable, ...], Ending]:
        """Run one for `seconds` at most, looking around meanwhile; `more` goes into its environment.

        `where` tells people what is under way; what the program says is added to that.
        """
        environment = {
            **os.environ,
            "PIMAINS_REASON": self._request.reason,
            "PIMAINS_REQUESTER": self._request.requester,
            "PIMAINS_BUDGET_SECONDS": f"{seconds:g}",
            "PIMAINS_SERVICEDIR": str(self._me.directory.parent),
            **more,
        }

        def say(line: str) -> None:
            print(f"{name}: {line}")
            self._me.status(f"{where}: {line}")

        self._me.status(where)
        return (yield from run_for(seconds, words, environment, say, self._me.clock, self._beside))
