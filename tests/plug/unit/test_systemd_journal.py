"""The journal of an earlier boot, asked of a journalctl that does not answer."""

import asyncio
import os
from pathlib import Path

import pytest

from pimains.plug.systemd_journal import end_of_boot
from tests.kit import until


@pytest.fixture
def pid_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a journalctl that hangs leaves its number in."""
    program = tmp_path / "journalctl"
    program.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid\nexec sleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "pid"


def test_a_journalctl_that_takes_too_long_is_ended(pid_file: Path) -> None:
    assert asyncio.run(end_of_boot("0" * 32, 1.0)) is None
    assert not Path("/proc", pid_file.read_text().strip()).exists()


def test_it_does_not_outlive_a_service_that_is_stopped_meanwhile(pid_file: Path) -> None:
    async def stop_half_way() -> None:
        asking = asyncio.create_task(end_of_boot("0" * 32))
        await asyncio.to_thread(until, pid_file.exists)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(stop_half_way())
    assert not Path("/proc", pid_file.read_text().strip()).exists()
