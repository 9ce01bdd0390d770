"""Verbs of pimains as children of the page: in a directory of their own, one for each who asks, and none that outlasts its time."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pimains.core.errors import PimainsError
from pimains.web import verbs
from pimains.web.children import Busy, Children, Replaced
from pimains.web.verbs import Done
from tests.kit import until

HANGS = "import os, sys, time, pathlib; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In place of pimains.cli, a module that runs what it is told: what is tested is who starts and ends it."""
    package = tmp_path / "lib/pimains_cli"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli.py").write_text("import sys\nprogram = sys.argv.pop(1)\nexec(program)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    monkeypatch.setattr(verbs, "PROGRAM", "pimains_cli.cli")


def run(do: Callable[[Children], Awaitable[None]], directory: Path) -> None:
    async def whole() -> None:
        await do(Children(directory))

    asyncio.run(whole())


def told_pid(file: Path) -> int:
    until(lambda: file.exists() and file.read_text() != "", what="a child that has begun")
    return int(file.read_text())


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_it_is_told_its_files_and_its_directory_goes_with_it(tmp_path: Path) -> None:
    place = tmp_path / "run"
    (place / "draft-left").mkdir(parents=True)  # by one that was killed

    async def do(them: Children) -> None:
        program = "import os, sys; print(open(sys.argv[1]).read(), os.getcwd() in sys.argv[1]); print('so', file=sys.stderr)"
        done = await them.run("anna", lambda directory: [program, str(directory / "3.rule/KIND")], {"3.rule/KIND": "float"}, 20.0)
        assert done == Done(0, b"float True\n", "so")

    run(do, place)
    assert list(place.iterdir()) == []


def test_a_newer_one_of_the_same_person_ends_the_one_before_and_that_of_another_goes_on(tmp_path: Path) -> None:
    async def do(them: Children) -> None:
        def hang(name: str) -> Callable[[Path], list[str]]:
            return lambda _: [HANGS, str(tmp_path / name)]

        first = asyncio.create_task(them.run("anna", hang("a"), {}, 60.0))
        other = asyncio.create_task(them.run("bert", hang("b"), {}, 60.0))
        pids = [await asyncio.to_thread(told_pid, tmp_path / name) for name in "ab"]
        done = await them.run("anna", lambda _: ["print(1)"], {}, 20.0)
        assert done.told == b"1\n"
        with pytest.raises(Replaced):
            await first
        assert [is_there(pid) for pid in pids] == [False, True]
        other.cancel()
        with pytest.raises(asyncio.CancelledError):
            await other
        await asyncio.to_thread(until, lambda: not is_there(pids[1]), what="its end")

    run(do, tmp_path)


def test_nobody_who_is_gone_is_worked_for_and_all_that_it_has_begun_ends(tmp_path: Path) -> None:
    async def do(them: Children) -> None:
        waits = True
        program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HANGS!r}, sys.argv[1]])"
        under_way = asyncio.create_task(them.run("anna", lambda _: [program, str(tmp_path / "a")], {}, 60.0, lambda: waits))
        pid = await asyncio.to_thread(told_pid, tmp_path / "a")
        waits = False
        with pytest.raises(Replaced):
            await under_way
        await asyncio.to_thread(until, lambda: not is_there(pid), what="the end of what a child has begun")

    run(do, tmp_path)


def test_what_takes_too_long_or_tells_too_much_is_ended_and_said(tmp_path: Path) -> None:
    async def do(them: Children) -> None:
        with pytest.raises(PimainsError, match=r"^it takes longer than 0.2 s, and was ended$"):
            await them.run("anna", lambda _: ["import time; time.sleep(600)"], {}, 0.2)
        with pytest.raises(PimainsError, match=r"^it tells more than 2048 KiB, and was ended$"):
            await them.run("anna", lambda _: ["while True: print('x' * 10000)"], {}, 30.0)

    run(do, tmp_path)


def test_there_is_room_for_a_few_and_who_comes_then_is_told(tmp_path: Path) -> None:
    async def do(them: Children) -> None:
        waiting = [asyncio.create_task(them.run(str(each), lambda _: ["import time; time.sleep(600)"], {}, 60.0)) for each in range(12)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="many rules are tried at this moment"):
            await them.run("zoe", lambda _: ["print(1)"], {}, 1.0)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (await them.run("zoe", lambda _: ["print(1)"], {}, 20.0)).told == b"1\n"

    run(do, tmp_path)


def test_it_gets_nothing_of_the_settings_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "secret")

    async def do(them: Children) -> None:
        done = await them.run("anna", lambda _: ["import os; print('PASSWORD' in os.environ, 'PATH' in os.environ)"], {}, 20.0)
        assert done.told == b"False True\n"

    run(do, tmp_path)
    assert os.environ["PASSWORD"] == "secret"
