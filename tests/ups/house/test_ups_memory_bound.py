"""Whatever a peer says, ups keeps no more than 2 MB of it."""

import os
import re
from itertools import count
from pathlib import Path

import pytest

from tests.kit import House, until
from tests.ups.liar import Liar, Lie, Talk, endless, flood
from tests.ups.nut2_library import NUT2
from tests.ups.upsd import PASSWORD

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
LIES_EACH = 6


def pss_megabytes(pid: int) -> float:
    found = re.search(r"(?m)^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found
    return int(found[1]) / 1024


def never_the_same() -> Lie:
    """As many lines as there may be, as long as they may be, each as it should be and none that came before."""
    number = count()

    def lie(talk: Talk, answer: bytes) -> None:
        lines = [b'VAR eaton ups.x%d "%s"\n' % (next(number), b"x" * 2000) for _ in range(120)]
        talk.send(answer.splitlines(keepends=True)[0] + b"".join(lines) + answer.splitlines(keepends=True)[-1])

    return lie


def test_a_peer_that_says_too_much_takes_two_megabytes_at_most(house: House) -> None:
    with Liar() as liar:
        given = {"USERNAME": "anna", "PASSWORD": PASSWORD, "POLL_SECONDS": "0.5", "POWER": "0"}
        ups = house.add("ups", pythonpath=str(NUT2), UPS=f"eaton@127.0.0.1:{liar.port}", **given)
        house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
        liar.values["ups.status"] = "OB"  # everything is asked for at each look
        house.until(lambda: ups.status.startswith("on battery for 3 s"), what=ups.story)  # which has it take up all it needs by itself
        before, pid, most = pss_megabytes(ups.pid), ups.pid, 0.0
        for lie in (flood, endless, never_the_same()):
            told: list[Lie] = []

            def counted(talk: Talk, answer: bytes, lie: Lie = lie, told: list[Lie] = told) -> None:
                told.append(lie)
                lie(talk, answer)

            liar.lies["LIST VAR"] = counted

            def is_enough(told: list[Lie] = told) -> bool:
                nonlocal most
                most = max(most, pss_megabytes(pid))
                return len(told) >= LIES_EACH

            until(is_enough, what=ups.story)
            liar.lies.clear()
            house.until(lambda: ups.status.startswith("on battery"), what=ups.story)
            print(f"after {lie}: {pss_megabytes(pid):.1f} MB, {most:.1f} MB at most, {before:.1f} MB before")
        assert ups.pid == pid
        assert pss_megabytes(pid) - before <= 2, f"{most:.1f} MB at most, {before:.1f} MB before"
