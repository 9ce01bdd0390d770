"""Shut this machine down in order, or cancel that, or rehearse or show what a shutdown would do.

The halt service does it: first the steps in halt.d, then HALT_COMMAND. Until a step numbered 80 or above was started a shutdown
can be cancelled. A rehearsal runs the steps, tells no plug, does not start HALT_COMMAND, and undoes what the steps did. Exit code 0
when it is as asked and a rehearsal went well, 1 when not.
"""

import argparse
import json
import os
import pwd
import select
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core import coming_up, scan_directory, state, templates
from pimains.core.errors import PimainsError
from pimains.core.ledger import Ledger
from pimains.core.plan.budget import budget, percentile_95
from pimains.halt import step_files
from pimains.halt.settings import HaltSettings
from pimains.halt.step_files import Step
from pimains.shared import halt_request
from pimains.shared.plan import step_progress

_ANSWER_SECONDS = 5.0
_NO_REASONS = ("cancel", "rehearse", "dry-run", "wait", "json", "help")
_HINT = "svstat {0}; svc -u {0}; or create_service --service_name=halt --add-service"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains halt` may be told."""
    parser.add_argument("reason", metavar="REASON", nargs="*", help="for the log, the ledger and the steps (default: asked for by hand)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cancel", action="store_true", help="keep this machine up, as long as that is possible")
    what.add_argument("--rehearse", action="store_true", help="run the steps and undo them; the machine stays up, and no plug is told")
    what.add_argument("--dry-run", action="store_true", help="only show the steps, their order and how long each may take")
    what.add_argument("--wait", action="store_true", help="tell how it goes on until this machine goes down or somebody cancels")
    parser.add_argument("--json", action="store_true", help="the same for programs")
    parser.add_argument(
        "--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="the directory svscan looks at (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Ask, cancel or show."""
    options.reason = " ".join(options.reason) or "asked for by hand"
    if options.reason.lower() in _NO_REASONS:
        print(f"pimains halt: nothing is done: did you mean --{options.reason.lower()}?", file=sys.stderr)
        return 2
    instance = scan_directory.at(options.servicedir / "halt")
    if instance and instance.root:
        os.environ["PIMAINS_ROOT"] = instance.root
    if options.dry_run:
        return show(options.servicedir, as_json=options.json)
    try:
        watch = coming_up.patiently(instance, lambda: state.Watch(halt_request.directory()))
        if options.rehearse:
            return rehearse(options, watch)
        well = cancel(options, watch) if options.cancel else ask(options, watch)
    except PermissionError:
        raise PimainsError("only root and the group pimains may shut this machine down: try sudo") from None
    except FileNotFoundError:
        raise PimainsError(f"no halt service was started since boot: {_HINT.format(options.servicedir / 'halt')}") from None
    if options.json:
        print(json.dumps(_situation(), indent=2))
    return 0 if well else 1


def ask(options: argparse.Namespace, watch: state.Watch) -> bool:
    """Make a request and see that it is taken; with --wait until the end."""
    before = _under_way()
    if before and not before.is_rehearsal and not step_progress.who_cancelled(halt_request.progress()):
        _say(options, f"under way already, nothing is asked again: {_status()}")
    else:
        halt_request.ask(options.reason, _user())
        if before and before.is_rehearsal:
            _say(options, "a rehearsal is under way: the shutdown begins when the step that runs has ended")
        _see_that_it_is_taken(options, watch, is_rehearsal=False, seconds=None if before else _ANSWER_SECONDS)
        _say(options, _status())
    return not options.wait or _follow(options, watch)


def rehearse(options: argparse.Namespace, watch: state.Watch) -> int:
    """Ask for a rehearsal, tell how it goes on, and how it went."""
    if _under_way():
        raise PimainsError(f"under way already, nothing is rehearsed: {_status()}")
    report = halt_request.directory() / "rehearsed"
    before = report.stat().st_ino if report.exists() else None
    halt_request.ask(options.reason, _user(), is_rehearsal=True)
    _see_that_it_is_taken(options, watch, is_rehearsal=True, seconds=_ANSWER_SECONDS, is_over=lambda: _changed(report, before))
    said = ""
    while (request := _under_way()) and request.is_rehearsal:
        if _status() != said:
            said = _status()
            _say(options, said)
        _wait(watch, lambda said=said: _status() != said or not _under_way(), 1)  # type: ignore[misc]  # mypy knows no default of a lambda
    if not _changed(report, before):
        raise PimainsError(f"the rehearsal was broken off: {_status()}")
    well, *lines = (state.read(report) or "").splitlines()
    if options.json:
        print(json.dumps({"well": well == "well", "lines": lines}, indent=2))
    else:
        print("\n".join([*lines, "all well" if well == "well" else "not well"]))
    return 0 if well == "well" else 1


def _changed(report: Path, before: int | None) -> bool:
    try:
        return report.stat().st_ino != before
    except FileNotFoundError:
        return False


def _see_that_it_is_taken(
    options: argparse.Namespace,
    watch: state.Watch,
    *,
    is_rehearsal: bool,
    seconds: float | None,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    def is_taken() -> bool:
        request = _under_way()
        return is_over() or (request is not None and request.is_rehearsal == is_rehearsal and not _status().startswith("ready"))

    if not _wait(watch, is_taken, float("inf") if seconds is None else seconds):
        halt_request.withdraw()
        raise PimainsError(f"the halt service does not take the request: {_HINT.format(options.servicedir / 'halt')}")


def cancel(options: argparse.Namespace, watch: state.Watch) -> bool:
    """Cancel, and wait until it is known what came of it."""
    request = halt_request.pending()
    if request is None:
        raise PimainsError("there is no shutdown to cancel")
    if not _under_way():
        halt_request.withdraw()
    halt_request.cancel(_user())
    if not _wait(watch, halt_request.is_cancel_answered, _ANSWER_SECONDS):
        raise PimainsError(f"the halt service does not answer: {_HINT.format(options.servicedir / 'halt')}")
    if any(line.startswith(step_progress.CANCEL_REFUSED) for line in halt_request.progress()):
        raise PimainsError(f"too late to cancel: {step_progress.why_refused(halt_request.progress()) or _status()}")
    if step_progress.goes_on(halt_request.progress()):
        raise PimainsError(
            f"somebody else has asked as well, so it goes on: {_under_way()}; pimains halt --cancel once more stops that, too"
        )
    if _under_way():
        _say(options, f"cancelled; first the step that runs now has to end: {_status()}")
    _wait(watch, lambda: not _under_way() and _status().startswith("ready"))
    _say(options, _status())
    return True


def show(servicedir: Path, *, as_json: bool) -> int:
    """The steps in their order, with the time each may take."""
    settings = _settings(servicedir)
    planned = [_planned(step, settings) for step in step_files.steps()]
    unseen = step_files.unseen_directories()
    if as_json:
        whole = {
            "grace_seconds": settings.HALT_GRACE_SECONDS,
            "steps": [each.as_json() for each in planned],
            "command": settings.HALT_COMMAND,
            "total_seconds": round(_total(planned), 1),
            "unseen": unseen,
        }
        print(json.dumps(whole, indent=2))
    else:
        _tell(planned, settings)
        print(*unseen, sep="\n", end="\n" if unseen else "")
    is_there = scan_directory.at(servicedir / "halt") is not None
    if not is_there:
        print(f"pimains: there is no halt service: {_HINT.format(servicedir / 'halt')}", file=sys.stderr)
    return 1 if not is_there or any(each.step.fault for each in planned) else 0


class Planned(NamedTuple):
    """A step, and the seconds it may take, from the seconds it took before."""

    step: Step
    budget: float
    durations: list[float]

    def as_json(self) -> dict[str, Any]:
        """For programs; `fault` is null for a step that would be run, or of which that is not known: then `unseen` says why."""
        return {
            "name": self.step.name,
            "path": str(self.step.path),
            "fault": self.step.fault or None,
            "unseen": self.step.unseen or None,
            "only_during_an_upgrade": step_progress.is_upgrade(self.step.name),
            "budget_seconds": round(self.budget, 1),
            "measured_times": len(self.durations),
            "p95_seconds": round(percentile_95(self.durations), 3) if self.durations else None,
        }


def _settings(servicedir: Path) -> HaltSettings:
    """Those of this machine's halt service, or as they come where there is none; raises WrongSetting."""
    instance = scan_directory.at(servicedir / "halt")
    if instance is None:
        return HaltSettings({variable.name: variable.default for variable in templates.all_of_them()["halt"].variables().values()})
    values = instance.variables()
    if hidden := next((name for name, value in values.items() if value is None and name in HaltSettings.declared()), None):
        raise PimainsError(f"{instance.path}/variables/{hidden}: only root may read it")
    return HaltSettings({name: value or "" for name, value in values.items()}, instance.path / "variables")


def _planned(step: Step, settings: HaltSettings) -> Planned:
    if step_progress.is_upgrade(step.name):
        return Planned(step, settings.UPGRADE_SECONDS_MAX, [])
    ledger = Ledger(tell=lambda line: print(f"pimains: {line}", file=sys.stderr))
    try:
        durations = ledger.durations(step.subject)
    except (OSError, sqlite3.Error) as error:
        raise PimainsError(f"{ledger.path}: {error}") from None
    return Planned(step, budget(durations, settings.STEP_SECONDS_MAX), durations)


def _tell(planned: list[Planned], settings: HaltSettings) -> None:
    width = max([4, *(len(each.step.name) for each in planned)])
    print(f"{'STEP':{width}}  AT MOST  MEASURED                FILE")
    for step, granted, durations in planned:
        measured = f"{len(durations)} times, p95 {percentile_95(durations):.1f} s" if durations else "never"
        if step_progress.is_upgrade(step.name):
            measured = "only during an upgrade"
        print(f"{step.name:{width}}  {granted:5.0f} s  {measured:22}  {step.path}")
        if step.fault:
            print(f"{'':{width}}  would not be run: {step.fault}")
        if step.unseen:
            print(f"{'':{width}}  whether it would be run is not known: {step.unseen}")
    total = _total(planned)
    grace = f" and {settings.HALT_GRACE_SECONDS:g} s of grace before" if settings.HALT_GRACE_SECONDS else ""
    print(f"{'':{width}}  {total:5.0f} s  in all{grace}, without an upgrade; then: {' '.join(settings.HALT_COMMAND)}")


def _total(planned: list[Planned]) -> float:
    """Seconds that all may take, without an upgrade."""
    return sum(each.budget for each in planned if not each.step.fault and not step_progress.is_upgrade(each.step.name))


def _follow(options: argparse.Namespace, watch: state.Watch) -> bool:
    """Tell how it goes on; returns whether this machine goes down."""
    said = _status()
    while _under_way() and not step_progress.has_succeeded(halt_request.progress(), "HALT_COMMAND"):
        _wait(watch, lambda said=said: _status() != said or not _under_way(), 1)  # type: ignore[misc]  # mypy knows no default of a lambda
        if _status() != said:
            said = _status()
            _say(options, said)
    if _under_way() and _wait(watch, lambda: _status().startswith("shut down: "), _ANSWER_SECONDS) and _status() != said:
        _say(options, _status())
    return _under_way() is not None


def _wait(watch: state.Watch, condition: Callable[[], object], seconds: float = float("inf")) -> bool:
    """Wait until `condition` holds, looking whenever something changes; False when it does not within `seconds`."""
    end = time.monotonic() + seconds
    poller = select.poll()
    poller.register(watch.fileno(), select.POLLIN)
    while not condition():
        left = end - time.monotonic()
        if left <= 0:
            return False
        poller.poll(min(left, 1) * 1000)
        watch.changed()
    return True


def _under_way() -> halt_request.HaltRequest | None:
    try:
        return halt_request.accepted()
    except halt_request.NoRequest:
        return None


def _status() -> str:
    return state.read(halt_request.directory() / "status") or ""


def _situation() -> dict[str, Any]:
    request = _under_way()
    return {
        "shutting_down": request is not None,
        "reason": request.reason if request else None,
        "requester": request.requester if request else None,
        "status": _status(),
        "progress": halt_request.progress(),
    }


def _say(options: argparse.Namespace, line: str) -> None:
    if not options.json:
        print(line, flush=True)


def _user() -> str:
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
