"""Waiting for a share that does not come, by a clock of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.clock import FakeClock, SystemClock
from pimains.core.naps import poll
from pimains.core.process.program import Programs
from pimains.core.troubles import Troubles
from pimains.fclient.forced_unmount import Detacher
from pimains.fclient.share import Share


def waiting_for(place: Path, marker: str) -> Iterator[tuple[float, str, bool]]:
    """What is told at each look: after how many seconds, in which words, and whether it is well."""
    clock, told, complaints = FakeClock(), [], []

    def tell(words: str, *, well: bool = True) -> None:
        told.append((words, well))

    programs, troubles = Programs(clock, 1, {}), Troubles(complaints.append)
    share = Share(place, marker, [], None, False, clock, programs, Detacher(clock), tell, complaints.append, lambda _: "", troubles)  # type: ignore[arg-type]
    began, work = clock.monotonic(), share.until_seen()
    nap = next(work)
    while True:
        if nap.files:
            ready = poll(nap, SystemClock())
        else:
            yield clock.monotonic() - began, *told[-1]
            clock.advance(nap.seconds)
            ready = ()
        nap = work.send(ready)


def test_a_share_that_does_not_come_within_a_minute_is_unwell_with_the_reason(tmp_path: Path) -> None:
    for after, words, well in waiting_for(tmp_path, "Nothing"):
        assert words == f"waiting for Nothing on {tmp_path} (no such file or directory)"
        assert well == (after < 60)
        if not well:
            return


def test_something_that_is_there_without_being_mounted_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "Music").mkdir()
    _, words, _ = next(waiting_for(tmp_path, "Music"))
    assert words == f"waiting for Music on {tmp_path} (nothing is mounted there)"


@pytest.mark.parametrize("marker", ["self", ""])
def test_a_place_that_is_a_link_is_unwell_at_once_and_the_setting_is_named(tmp_path: Path, marker: str) -> None:
    (tmp_path / "MDrive").symlink_to("/proc")
    _, words, well = next(waiting_for(tmp_path / "MDrive", marker))
    assert words == f"{tmp_path}/MDrive is a link to /proc: put that into variables/MDRIVE"
    assert not well
