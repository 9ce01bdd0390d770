"""Say something to a host as the service does, from wherever this program runs: python -m tests.ups.say_to_host WHAT DIRECTORY [SECONDS].

Prints the answer, or the error as "Away: ...", and how many seconds it took.
"""

import sys
import time
from pathlib import Path

from pimains.core.clock import SystemClock
from pimains.core.errors import PimainsError
from pimains.core.naps import poll, within
from pimains.ups.hosts import directories, talk


def main() -> None:
    what, directory = sys.argv[1], Path(sys.argv[2])
    host = directories.of(directory, directories.values(directory))
    began = time.monotonic()
    under_way = getattr(talk, what)(host, *map(float, sys.argv[3:]))
    while not under_way.has_ended():
        poll(within(60.0, under_way), SystemClock())
    try:
        print(under_way.answer())
    except PimainsError as error:
        print(f"{type(error).__name__}: {error}")
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
