"""The process that keeps the lines of relays while their service is away: relays/keeper.py. Pipes stand for lines."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.relays.contacts import Contacts, Place
from pimains.relays.keeper import Keeper
from pimains.shared.relays import pin_name
from tests.kit import TOP, is_closed, until

Pipe = tuple[int, int]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "keeper"
    yield path
    path.unlink(missing_ok=True)  # which ends it


@pytest.fixture
def pipe() -> Pipe:
    """The first end says whether anybody has the second one open."""
    return os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)


def pid_of(path: Path) -> int:
    """The keeper's."""
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if each.joinpath("cmdline").read_bytes().rstrip(b"\0").endswith(os.fsencode(path)):
                return int(each.name)
    return 0


def test_what_one_service_has_left_the_next_one_gets(path: Path, pipe: Pipe) -> None:
    first = Keeper(path)
    first.keep("3 header 17", pipe[1])
    os.close(pipe[1])
    first.close()
    second = Keeper(path)
    assert list(second.handed) == ["3 header 17"]
    os.write(second.handed["3 header 17"], b"it is the same")
    assert os.read(pipe[0], 100) == b"it is the same"
    second.close()


def test_a_service_that_is_killed_leaves_its_lines_open(path: Path, pipe: Pipe) -> None:
    code = "import sys, time; from pathlib import Path; from pimains.relays.keeper import Keeper; keeper = Keeper(Path(sys.argv[1]))"
    code += "; keeper.keep('1', int(sys.argv[2])); print('kept', flush=True); time.sleep(600)"
    words = ["/usr/bin/python3", "-c", code, path, str(pipe[1])]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
    with subprocess.Popen(words, env=environment, pass_fds=[pipe[1]], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        assert service.stdout.readline() == "kept\n"
        os.close(pipe[1])
        service.send_signal(signal.SIGKILL)
        assert service.stdout.read() == ""  # the keeper has not its output either
    assert not is_closed(pipe[0])
    keeper = Keeper(path)
    assert list(keeper.handed) == ["1"]
    keeper.close()


def test_a_line_that_is_dropped_is_given_back(path: Path, pipe: Pipe) -> None:
    keeper = Keeper(path)
    keeper.keep("1", pipe[1])
    os.close(pipe[1])
    assert not is_closed(pipe[0])
    keeper.drop("1")
    until(lambda: is_closed(pipe[0]))
    keeper.close()


def test_it_ends_when_its_path_is_gone_and_gives_everything_back(path: Path, pipe: Pipe) -> None:
    keeper = Keeper(path)
    keeper.keep("1", pipe[1])
    os.close(pipe[1])
    keeper.close()
    assert pid_of(path)
    path.unlink()
    until(lambda: is_closed(pipe[0]), 30)
    until(lambda: not pid_of(path) or is_zombie(pid_of(path)))


def is_zombie(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_it_has_a_session_of_its_own_and_no_output_of_the_services(path: Path, pipe: Pipe) -> None:
    keeper = Keeper(path)
    keeper.keep("1", pipe[1])
    pid = pid_of(path)
    assert os.getsid(pid) == pid
    assert {str(Path(f"/proc/{pid}/fd/{number}").readlink()) for number in (0, 1, 2)} == {"/dev/null"}
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    keeper.close()
    os.close(pipe[1])


def test_sixty_four_lines_are_handed_over(path: Path) -> None:
    keeper = Keeper(path)
    pipes = [os.pipe() for _ in range(64)]
    for number, (_, inward) in enumerate(pipes):
        keeper.keep(str(number), inward)
    keeper.close()
    keeper = Keeper(path)
    assert sorted(keeper.handed, key=int) == [str(number) for number in range(64)]
    keeper.close()
    for ends in pipes:
        for end in ends:
            os.close(end)


def test_a_keeper_that_was_killed_is_replaced(path: Path, pipe: Pipe) -> None:
    keeper = Keeper(path)
    keeper.keep("1", pipe[1])
    os.kill(pid_of(path), signal.SIGKILL)
    with pytest.raises(OSError):
        keeper.keep("2", pipe[1])
    keeper.close()
    keeper = Keeper(path)
    assert keeper.handed == {}
    keeper.keep("1", pipe[1])
    keeper.close()
    os.close(pipe[1])


def test_who_finds_the_keeper_again_has_each_line_once(path: Path, pipe: Pipe) -> None:
    """The halt step has spoken with it in the place of a service that hung."""
    (first := Keeper(path)).keep("3 17 0", pipe[1])
    os.close(pipe[1])
    first.close()
    contacts = Contacts(path.parent)
    contacts.begin()
    assert contacts.take("3", Place(pin_name.parse("17"), active_low=False))
    other = Keeper(path)
    os.close(other.handed["3 17 0"])
    other.close()
    contacts.tend()
    contacts.drop("3")
    until(lambda: is_closed(pipe[0]))
    contacts.close(for_good=True)


def test_what_it_costs(path: Path, pipe: Pipe) -> None:
    keeper = Keeper(path)
    keeper.keep("1", pipe[1])
    lines = Path(f"/proc/{pid_of(path)}/smaps_rollup").read_text().splitlines()
    (pss,) = (int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    keeper.close()
    os.close(pipe[1])
    print(f"keeper: {pss} kB", file=sys.stderr)
    assert pss < 7000
