"""pimains rule check: what is wrong with a rule, and what it would say now, by what this machine knows; nothing is switched."""

import argparse
import ast
import builtins
import json
import os
import select
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core import paths, privileges, scan_directory
from pimains.core.clock import SystemClock
from pimains.core.errors import Misused, PimainsError, WrongSetting
from pimains.core.plan.columns import aligned
from pimains.core.plan.sentences import duration
from pimains.core.scan_directory import ServiceDirectory
from pimains.rules import off_times, pretended, rule_files
from pimains.rules.child import Child, Reply
from pimains.rules.hosts import Hosts
from pimains.rules.listed import Listed
from pimains.rules.memory import recalled
from pimains.rules.places import Places
from pimains.rules.plan.calendar import Now, SunOf
from pimains.rules.plan.given import Given, asked_host
from pimains.rules.pretended import Pretended
from pimains.rules.record_line import record_line
from pimains.rules.relays_told import RelaysTold
from pimains.rules.rule_files import RuleFile, RuleFiles
from pimains.rules.settings import RulesSettings
from pimains.rules.situation import Situation
from pimains.rules.values import Values
from pimains.shared.relays import relay_settings, said

_HOSTS_SECONDS = 3.0
_ROUNDS_MAX = 6
_NOT_KNOWN = "not known"
_NAMES_OF_MODULES = {"__file__", "__name__", "__doc__", "__builtins__"}


class Found(NamedTuple):
    """What a check has found: `faults` are a line each, `says` and `reason` what the rule would say, `values` what it asked for."""

    rule: RuleFile
    faults: list[str]
    says: str
    reason: str
    values: dict[str, str]
    record: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains rule check` may be told."""
    parser.add_argument("--pretend", metavar="FILE", type=Path, help="with check: what is to be taken for so, in JSON (pimains help rules)")


def check(places: Places, what: str, *, as_json: bool, pretend: Path | None = None) -> int:
    """Of a relay's number, or a file; whether something is wrong with it is the exit code. Raises PimainsError.

    `pretend` is a file with what is not so, and is to be taken for it.
    """
    found = _checked(places, _rule(places, what), _pretended(pretend) if pretend else None)
    if as_json:
        told: dict[str, Any] = {**found._asdict(), "rule": found.rule.number, "file": str(found.rule.path), "block": found.rule.block}
        print(json.dumps(told, indent=2))
    else:
        _tell(found)
    return 1 if found.faults else 0


def _tell(found: Found) -> None:
    for fault in found.faults:
        print(fault)
    if found.says:
        print(f"relay {found.rule.number} now: {found.says}{f', {found.reason}' if found.reason else ''}")
    for line in aligned([("it asks for", "which is"), *sorted(found.values.items())]) if found.values else []:
        print(line)
    if found.record:
        print(f"for a replay of all of it, have it recorded: {found.record}")
    if not found.faults:
        print(f"{found.rule.path}: nothing is wrong with it")


def _rule(places: Places, what: str) -> RuleFile:
    if relay_settings.is_number(what) and not Path(what).exists():
        files = RuleFiles(places.rules, places.made)
        found = files.look()
        files.close()
        if int(what) not in found:
            there = ", ".join(map(str, found)) or "none"
            raise Misused(f"relay {what} has no rule in {places.rules}; there are rules of: {there}")
        return found[int(what)]
    path = Path(what).absolute()
    if path.suffix == rule_files.READY and path.is_dir():
        return rule_files.read(path)
    if path.parent in (places.rules, places.made) and rule_files.number_of(path):
        return rule_files.read(path)  # as the service has it
    try:
        return rule_files.draft(path)
    except OSError as error:
        raise Misused(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _pretended(path: Path) -> Pretended:
    try:
        with path.open("rb") as file:
            return pretended.parsed(file.read(2 * pretended.BYTES_MAX).decode("utf-8", "replace"))
    except OSError as error:
        raise Misused(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _checked(places: Places, rule: RuleFile, pretends: Pretended | None) -> Found:
    faults = [f"{rule.path}: {rule.fault}"] if rule.fault else _faults_of(rule)
    if faults:
        return Found(rule, faults, "", "", {}, "")
    run = _DryRun(places, pretends)
    try:
        if not rule.number or not run.has_relay(rule.number):
            if rule.number and rule.path.parent in (places.rules, places.made):
                faults.append(f"{rule.path}: there is no relay {rule.number}: pimains relay add {rule.number} --pin=17")
            rule = rule._replace(number=next(iter(run.relays.relays), 0))
        if not rule.number:
            return Found(rule, [*faults, "no relay is there that it could be asked for: does relays run?"], "", "", {}, "")
        reply = run.ask(rule)
    finally:
        run.close()
    if reply.lost is not None:
        where = f"{rule.path}{f':{reply.lost.line}' if reply.lost.line else ''}"
        faults.append(f"{where}: {reply.lost.why}")
    says, reason = reply.answer or ("lost", "")
    return Found(rule, faults, says, reason, run.told(reply.asked), _record(places, reply.asked, run.values))


def _faults_of(rule: RuleFile) -> list[str]:
    """What can be told without asking it: its grammar, and names that nobody knows."""
    if rule.path.suffix != ".py" and rule.text.startswith("{"):
        return []
    try:
        tree = ast.parse(rule.text, str(rule.path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        return [f"{rule.path}{f':{line}' if line else ''}: {getattr(error, 'msg', None) or error}"]
    except (RecursionError, MemoryError):
        return [f"{rule.path}: its brackets, signs or points are nested too deep for Python"]
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
        return []  # what names there are then shows only when it is asked
    known = {*dir(builtins), *Given(0).names(), *_NAMES_OF_MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            known.add(node.id)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.alias):
            known.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            known.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            known.add(node.rest)
    return [
        f"{rule.path}:{node.lineno}: nobody knows the name {node.id}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id not in known
    ]


class _DryRun:
    """What the service would give a rule now, and ask it."""

    def __init__(self, places: Places, pretends: Pretended | None = None) -> None:
        self._settings = _settings(places.service)
        self._pretends = pretends
        self._clock = SystemClock()
        top = paths.run(places.service.root)
        timers, parts, chargers = recalled(places.service.run)
        self.values = Values(self._clock, self._settings.LOST_AFTER, parts, chargers, top)
        self.relays = RelaysTold(off_times.recalled(paths.lib(places.service.root) / places.service.name), top / said.SERVICE)
        self.relays.look()
        self._hosts = Hosts(self._settings.HOSTS, self._settings.INTERVAL, self._clock)
        self._listed = Listed(self._settings.RULES_FILES)
        self._situation = Situation(self._clock, self.values, self.relays, self._hosts, self._listed, timers)
        sun = _sun_of(self._settings)
        self._child = Child(lambda: _given(self._settings.LOST_AFTER, sun), self._settings.RULE_SECONDS)

    def has_relay(self, number: int) -> bool:
        """Whether there is this relay, or it is pretended."""
        return number in self.relays.relays or bool(self._pretends and number in self._pretends.relays)

    def ask(self, rule: RuleFile) -> Reply:
        """What it says, once it was given all that it asks for."""
        for _ in range(_ROUNDS_MAX):
            reply = self._ask_as_pretended(rule)
            hosts = {host for host in self._hosts.known if asked_host(host) in reply.asked and self._hosts.known[host] is None}
            if hosts:
                self._ask_hosts(hosts)
            if not self.values.want(reply.asked) and not any(self._hosts.known[host] is not None for host in hosts):
                break
        return reply

    def _ask_as_pretended(self, rule: RuleFile) -> Reply:
        """Where all of it has been so for a while, it was asked then, too: that began its timers."""
        request = self._situation.request(rule, self._child.seen)
        if self._pretends is None:
            return self._ask(rule, request)
        if self._pretends.seconds:
            before = self._ask(rule, self._pretends.over(request, self._pretends.seconds))
            if before.answer is None:
                return before
            request = self._situation.request(rule, self._child.seen)
            if before.timers is not None:
                request["timers"] = before.timers
        return self._ask(rule, self._pretends.over(request))

    def _ask(self, rule: RuleFile, request: dict[str, Any]) -> Reply:
        self._child.ask(request)
        late = ""
        until = self._clock.monotonic() + self._settings.RULE_SECONDS
        while select.select([self._child], [], [], max(0.0, until - self._clock.monotonic()))[0]:
            try:
                if reply := self._child.reply():
                    return reply
            except EOFError:
                break
        else:
            late = f"it takes longer than {duration(self._settings.RULE_SECONDS)}"
            self._child.tell_where()
            time.sleep(0.1)
        return Reply(None, self._child.ending(str(rule.path), late))

    def _ask_hosts(self, hosts: set[str]) -> None:
        self._hosts.want(hosts)
        until = self._clock.monotonic() + _HOSTS_SECONDS
        self._hosts.changed()
        while self._hosts.files() and (left := until - self._clock.monotonic()) > 0:
            select.select(self._hosts.files(), [], [], left)
            self._hosts.changed()

    def told(self, asked: frozenset[str]) -> dict[str, str]:
        """What is known of what it asked for."""
        of_machine = self._known(asked)
        if self._pretends is None:
            return of_machine
        pretends = {name: value for name, value in self._pretends.values.items() if name in asked or _any_of(name) in asked}
        return of_machine | {name: _shown(value) for name, value in pretends.items()}

    def _known(self, asked: frozenset[str]) -> dict[str, str]:
        return {name: self._in_words(name) for name in asked if "/" in name and not name.startswith("*")} | {
            name: self._in_words(name) for name in self.values.known if _any_of(name) in asked
        }

    def _in_words(self, name: str) -> str:
        value, at = self.values.known.get(name, (None, 0.0))
        if value is None:
            return _NOT_KNOWN
        return f"{_shown(value)} ({duration(self._clock.monotonic() - at)} old)"

    def close(self) -> None:
        """End all that it has begun."""
        for each in (self._child, self.values, self.relays, self._hosts, self._listed):
            with suppress(OSError):
                each.close()


def _shown(value: float | str | None) -> str:
    if value is None:
        return _NOT_KNOWN
    return f"{value:g}" if isinstance(value, float) else value


def _any_of(name: str) -> str:
    """How a rule asks for this value of all instances."""
    return f"*/{name.partition('/')[2]}"


def _given(lost_after: float, sun: SunOf | None) -> Given:
    """In the child: who checks a rule with sudo does not run it as root."""
    if os.geteuid() == 0:
        with suppress(WrongSetting):
            privileges.become("pimains")
    return Given(lost_after, Now(sun_of=sun))


def _settings(service: ServiceDirectory) -> RulesSettings:
    values = {name: value or "" for name, value in service.variables().items()}
    return RulesSettings(values, service.path / "variables")


def _sun_of(settings: RulesSettings) -> SunOf | None:
    if settings.LATITUDE is None or settings.LONGITUDE is None:
        return None
    try:
        from pimains.rules.sun import SunAt  # two megabytes
    except ModuleNotFoundError:
        raise PimainsError("the Python module ephem is missing: apt install python3-ephem") from None
    return SunAt(settings.LATITUDE, settings.LONGITUDE)


def _record(places: Places, asked: frozenset[str], values: Values) -> str:
    """The line that has a collector of this machine record what it does not yet; "" where there is none, or nothing to record."""
    collectors = [each for each in scan_directory.found(places.service.path.parent) if each.service == "collector"]
    names = [name for name in asked if "/" in name and not name.startswith("*")]
    names += [name for name in values.known if _any_of(name) in asked]
    return record_line(collectors[0], sorted(names)) if collectors and names else ""
