"""What a verb of pimains answers a page, as a child that is bounded: its JSON, or why there is none, in a line."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from pimains.web import verbs
from pimains.web.verbs import Said


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In place of pimains.cli, a module that runs what it is told: what is tested is what becomes of its answer."""
    package = tmp_path / "lib/pimains_cli"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli.py").write_text("import sys\nprogram = sys.argv.pop(2)\nexec(program)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    monkeypatch.setattr(verbs, "PROGRAM", "pimains_cli.cli")


def answer(program: str, seconds: float = 20.0) -> Any:
    return asyncio.run(verbs.answer("verb", program, seconds=seconds))


def test_its_json_is_its_answer_whatever_it_ends_with_and_services_come_first() -> None:
    program = "import json, os, sys; print(json.dumps([os.nice(0)])); print('not well', file=sys.stderr); sys.exit(1)"
    assert answer(program) == [min(19, os.nice(0) + 10)]


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("import sys; print('pimains: one thing', 'pimains: no such UPS', sep='\\n', file=sys.stderr); print('no JSON')", "no such UPS"),
        ("print('first'); print('in words')", "in words"),
        ("pass", "pimains verb says nothing"),
        ("while True: print('x' * 10000)", "it says more than is read"),
    ],
)
def test_without_json_its_last_line_is_why(program: str, line: str) -> None:
    with pytest.raises(Said) as said:
        answer(program)
    assert str(said.value) == line


def test_what_does_not_answer_is_ended_with_all_that_it_has_begun(tmp_path: Path) -> None:
    begun = "import os, pathlib, subprocess, sys; sleeper = subprocess.Popen(['sleep', '600']); "
    program = f"{begun}pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(sleeper.pid)); sleeper.wait()"
    with pytest.raises(Said, match=r"^pimains verb does not answer within 1 s$"):
        answer(program, 1.0)
    assert not Path("/proc", (tmp_path / "pid").read_text(), "cwd").exists()


def test_where_it_cannot_be_started_that_is_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Said, match=r"^pimains verb cannot be started: no such file or directory$"):
        answer("print(1)")
