"""What the group may say to the halt service, and what it may not do with its files; and that a request needs no room."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core import state
from pimains.shared import halt_request, kept_file

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
FULL = """
set -e
mount -t tmpfs -o size=64k none "$PIMAINS_ROOT"/run
/usr/bin/python3 -P - <<'EOF'
import os
from pathlib import Path
from pimains.core import paths
from pimains.shared import halt_request
run = paths.run() / "halt"
run.mkdir(parents=True)
halt_request.keep_files()
with open(run.parent / "fill", "wb", buffering=0) as fill:
    try:
        while True:
            fill.write(b"x" * 4096)
    except OSError as full:
        print(full.strerror)
for _ in range(3):
    halt_request.ask("UPS battery low", "ups")
    print(halt_request.take(), halt_request.accepted(), sep="; ")
    halt_request.finish()
    halt_request.cancel("anna")
    print(halt_request.who_cancels(), halt_request.pending())
    halt_request.take_cancel()
EOF
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As the halt service makes it."""
    with tempfile.TemporaryDirectory(prefix="pimains-kept-") as name:
        Path(name).chmod(0o755)
        monkeypatch.setenv("PIMAINS_ROOT", name)
        halt_request.directory().mkdir(parents=True)
        halt_request.keep_files()
        yield halt_request.directory()


def sh(script: str, user: str, group: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["sh", "-c", script], user=user, group=group, extra_groups=[], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("user", ["pimains", "games"])
def test_whoever_is_of_the_group_asks_and_cancels_with_echo(run: Path, user: str) -> None:
    assert sh(f"echo the cellar is flooded >{run}/request && echo anna >{run}/cancel", user, "pimains").returncode == 0
    assert halt_request.pending() == halt_request.HaltRequest("the cellar is flooded", "somebody")
    assert halt_request.take() == halt_request.HaltRequest("the cellar is flooded", "somebody")
    assert halt_request.who_cancels() == "anna"
    halt_request.take_cancel()
    assert (halt_request.who_cancels(), halt_request.take_another(), halt_request.is_cancel_answered()) == (None, None, True)


@pytest.mark.parametrize(
    "script",
    [
        "mv {run}/request {run}/.x",
        "rm -f {run}/cancel",
        "ln -sf /etc/shadow {run}/request",
        "echo x >{run}/accepted",
        "echo x >{run}/progress",
        "mv {run} {run}.x",
    ],
)
@pytest.mark.parametrize("user", ["pimains", "games"])
def test_nobody_but_root_puts_anything_in_the_place_of_one_or_says_what_was_accepted(run: Path, user: str, script: str) -> None:
    assert sh(script.format(run=run), user, "pimains").returncode != 0
    assert sorted(os.listdir(run)) == [".accepted", "cancel", "request"]
    assert halt_request.pending() is None


def test_who_is_not_of_the_group_asks_for_nothing(run: Path) -> None:
    assert sh(f"echo x >{run}/request", "nobody", "nogroup").returncode != 0
    assert sh(f"touch {run}/request", "nobody", "nogroup").returncode != 0


def test_a_request_that_is_withdrawn_is_none(run: Path) -> None:
    halt_request.ask("UPS battery low", "ups")
    assert halt_request.is_wanted(run)
    halt_request.withdraw()
    assert (halt_request.pending(), halt_request.take(), halt_request.is_wanted(run)) == (None, None, False)


def test_of_several_who_ask_at_once_the_first_is_heard(run: Path) -> None:
    halt_request.ask("UPS battery low", "ups")
    halt_request.ask("bored", "plug")
    assert halt_request.take() == halt_request.HaltRequest("UPS battery low", "ups")
    assert halt_request.take_another() is None


def test_files_that_root_has_taken_away_are_made_again(run: Path) -> None:
    for name in ("request", "cancel"):
        (run / name).unlink()
    assert (halt_request.take(), halt_request.who_cancels()) == (None, None)
    assert [state.read(run / name) for name in ("request", "cancel")] == ["nothing is asked"] * 2


def test_what_was_touched_is_known_until_it_is_forgotten(run: Path) -> None:
    assert not kept_file.is_touched(run / "request")
    assert sh(f"touch {run}/request", "games", "pimains").returncode == 0
    assert kept_file.is_touched(run / "request")
    kept_file.forget(run / "request")
    assert not kept_file.is_touched(run / "request")


def test_on_a_full_run_a_request_is_made_taken_and_cancelled(run: Path) -> None:
    root = run.parents[2]
    environment = {**os.environ, "PIMAINS_ROOT": str(root), "PYTHONPATH": str(Path(halt_request.__file__).parents[2])}
    said = subprocess.run(["unshare", "--mount", "sh", "-c", FULL], env=environment, capture_output=True, text=True, check=False)
    asked = "UPS battery low (asked by ups)"
    assert said.stdout.splitlines() == ["No space left on device", *[f"{asked}; {asked}", "anna None"] * 3], said.stderr
