"""pimains rule replay: what a rule and its relay's guards would have done with what a collector has recorded."""

import argparse
import json
import math
import sqlite3
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pimains.core import paths, scan_directory, templates
from pimains.core.errors import Misused, PimainsError, WrongSetting
from pimains.core.progress_line import Line
from pimains.core.scan_directory import ServiceDirectory
from pimains.core.settings import Settings
from pimains.rules import replay_process, replaying, rule_files
from pimains.rules.plan import replayed
from pimains.rules.plan.calendar import SunOf
from pimains.rules.plan.replay import Played, Span
from pimains.rules.plan.replayed import Story
from pimains.rules.record_line import record_line
from pimains.rules.recorded_values import RecordedValues
from pimains.rules.replaying import Past
from pimains.rules.rule_files import RuleFile, RuleFiles
from pimains.rules.settings import RulesSettings
from pimains.shared.readings import collectors_journal
from pimains.shared.relays import relay_settings
from pimains.shared.relays.guard_settings import GuardSettings
from pimains.shared.relays.plan.modes import parse_duration
from pimains.shared.relays.plan.relay import Limits

_SINCE, _WEEK, _MINUTE = "--since", "7d", 60
_EVERY_MAX = 3600
_STEPS_MAX = 40_000_000
_SILENT_SECONDS = 1.0  # until it says how far it is
_LIKE = "such as 7d, 2026-11-01 or 2026-11-01T06:00"
S = TypeVar("S", bound=Settings)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains rule replay` may be told."""
    parser.add_argument("--since", metavar="TIME", help=f"with replay: from when on, {_LIKE} (default: {_WEEK}, seven days ago)")
    parser.add_argument("--until", metavar="TIME", help="with replay: until when, likewise (default: now)")
    parser.add_argument("--every", type=int, metavar="SECONDS", help=f"with replay: how often the rule is asked (default: {_MINUTE})")
    parser.add_argument("--all", action="store_true", dest="all_runs", help="with replay: show all runs, and not the last ones alone")
    parser.add_argument("--collector", metavar="NAME", help="with replay: whose readings, when there are several collectors")


def is_used(options: argparse.Namespace) -> bool:
    """Whether one of these was given."""
    return bool(options.since or options.until or options.every or options.all_runs or options.collector)


def run(words: list[str], options: argparse.Namespace) -> None:
    """`words` are those after replay: the relay's number, and a file to be tried in place of its rule. Raises PimainsError."""
    if not 1 <= len(words) <= 2 or not relay_settings.is_number(words[0]):
        raise Misused("pimains rule replay wants the relay's number, 1-999, and may be given a file to try: pimains rule replay 3 draft.py")
    number, scan = int(words[0]), options.servicedir
    rules = _settings(scan, "rules", RulesSettings)
    rule = _rule(number, rules, words[1:], scan)
    guards = _settings(scan, "relays", GuardSettings)
    limits = _limits(number, guards.RELAYS)
    collector = collectors_journal.the_collector(scan, options.collector)
    collectors_journal.become_the_collectors_user()
    now, path = time.time(), collectors_journal.path_of(collector)
    values: RecordedValues | None = None
    try:
        values = collectors_journal.up_to_date(collector, lambda path: RecordedValues(path, now))
        notes: list[str] = []
        span = _span(options, now, rule, values, notes)
        past = Past(path, number, limits, guards, rules.LOST_AFTER, rule, _sun_of(rules, notes))
        names = replaying.named(rule, values)
        really = replaying.was_on(values, number, span.start, span.end)
    except sqlite3.Error as error:
        raise PimainsError(f"{path}: {error}") from None
    finally:
        if values is not None:
            values.close()
    own = limits[str(number)]
    played = _played(past, span, names, rules.RULE_SECONDS, shows=sys.stderr.isatty() and not options.json)
    story = Story(number, own.name, own.watts, str(rule.path), span, played, really)
    if options.json:
        print(json.dumps(replayed.as_data(story), indent=2))
    else:
        told = replayed.lines(story, all_runs=options.all_runs)
        print("\n".join([*told, *notes, *_what_is_missing(story, collector, guards.RELAYS)]).rstrip())


def _played(past: Past, span: Span, names: frozenset[str], seconds: float, *, shows: bool) -> Played:
    line, began = Line(shows), time.monotonic()

    def tell(step: int) -> None:
        if time.monotonic() - began > _SILENT_SECONDS:
            line(f"{100 * max(0, step) // span.steps} % of {_day(span.start)} to {_day(span.end)}")

    try:
        return replaying.played(past, span, names, seconds, tell)
    except replay_process.TooLong as late:
        when = _moment(span.start + max(0, late.step) * span.every)
        where = f"{past.rule.path}:{late.line}" if late.line else str(past.rule.path)
        raise PimainsError(f"{where}: {late.why}, asked for {when}: the replay is ended") from None
    finally:
        line.end()


def _settings(scan: Path, service: str, kind: type[S]) -> S:
    """Those of the service, or as they come where there is none. Raises WrongSetting, PimainsError."""
    found = next((each for each in scan_directory.found(scan) if each.service == service), None)
    if found is not None:
        return kind({name: value or "" for name, value in found.variables().items()}, found.path / "variables")
    return kind({variable.name: variable.default for variable in templates.all_of_them()[service].variables().values()})


def _rule(number: int, settings: RulesSettings, words: list[str], scan: Path) -> RuleFile:
    if words:
        found: RuleFile | None = _draft(number, Path(words[0]).absolute())
    else:
        service = next((each for each in scan_directory.found(scan) if each.service == "rules"), None)
        files = RuleFiles(settings.RULES, paths.lib(service.root if service else None) / "rules")
        found = files.look().get(number)
        files.close()
    if found is None:
        raise Misused(f"relay {number} has no rule: {settings.RULES}/{number}.py is where one would be (pimains help rules)")
    if found.fault:
        raise PimainsError(f"{found.path}: {found.fault}")
    return found


def _draft(number: int, path: Path) -> RuleFile:
    """Whoever may write it: it is played as user pimains."""
    if path.suffix == ".rule":
        return rule_files.read(path)
    try:
        return rule_files.draft(path)._replace(number=number)
    except OSError as error:
        raise Misused(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _limits(number: int, directory: Path) -> dict[str, Limits]:
    if why := relay_settings.unreadable(directory):
        raise PimainsError(why)
    found: dict[str, Limits] = {}
    for each in relay_settings.numbers(directory):
        try:
            found[each] = relay_settings.read(directory / each).limits
        except WrongSetting:
            if each == str(number):
                raise
    if str(number) not in found:
        raise Misused(f"there is no relay {number}; there are: {', '.join(found) or 'none'} (pimains relay add {number} --pin=17)")
    return found


def _span(options: argparse.Namespace, now: float, rule: RuleFile, values: RecordedValues, notes: list[str]) -> Span:
    """From when until when; not before the first reading of what the rule names."""
    every = _MINUTE if options.every is None else options.every
    if not 1 <= every <= _EVERY_MAX:
        raise Misused(f"--every {every}: not a number of seconds from 1 to {_EVERY_MAX}")
    start, end = (_time(name, given, now) for name, given in ((_SINCE, options.since or _WEEK), ("--until", options.until)))
    start -= start % _MINUTE  # as people read it
    if end <= start:
        raise Misused(f"--until {_moment(end)} is not after --since {_moment(start)}")
    firsts = [first for name in replaying.named(rule, values) if (first := values.first(name)) is not None]
    if firsts and min(firsts) > start:
        if min(firsts) >= end:
            raise Misused(
                f"the first reading of what the rule asks for is of {_moment(min(firsts))}: --since {_day(min(firsts))} begins there"
            )
        start = math.ceil(min(firsts))
        notes.append(f"the first reading of what the rule asks for is of {_moment(start)}: before that nothing is known")
    steps = int((end - start) // every)
    if not 1 <= steps <= _STEPS_MAX:
        raise Misused(f"from {_moment(start)} to {_moment(end)} the rule would be asked {steps} times; --every says how often")
    return Span(start, float(every), steps)


def _time(name: str, text: str | None, now: float) -> float:
    """Seconds since 1970 of a time, or of so long ago."""
    if text is None:
        return now
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise Misused(f"{name} {text!r} is no time ({_LIKE})") from None
    if name == _SINCE and when >= now:
        raise Misused(f"{name} {text} is still to come: a replay is of what was recorded")
    return min(now, when)


def _sun_of(settings: RulesSettings, notes: list[str]) -> SunOf | None:
    if settings.LATITUDE is None or settings.LONGITUDE is None:
        return None
    try:
        from pimains.rules.sun import SunAt  # two megabytes
    except ModuleNotFoundError:
        notes.append("sunrise and sunset are not known: apt install python3-ephem")
        return None
    return SunAt(settings.LATITUDE, settings.LONGITUDE)


def _what_is_missing(story: Story, collector: ServiceDirectory, relays: Path) -> list[str]:
    """A line for each thing, with what to type."""
    found, wanted = [], []
    names = [name for name in story.played.missing if "*" not in name and not name.startswith(replaying.NOT_RECORDED)]
    if names:
        found.append(f"not recorded, so not known to the rule: {', '.join(names)}")
        wanted += names
    found += [f"nothing recorded that every {name[2:]} is: no instance tells it" for name in story.played.missing if "*" in name]
    if story.really is None:
        found.append(f"not recorded, so not told here: when relay {story.number} was really on")
        wanted += [replaying.state_of(story.number), f"relays/{story.number}.watts"]
    if line := record_line(collector, wanted):
        found.append(f"from now on: {line}")
    if not story.watts:
        found.append(f"no kWh, because nobody has said what relay {story.number} draws: echo 2000 > {relays / str(story.number) / 'WATTS'}")
    return found


def _moment(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall):%Y-%m-%d %H:%M}"


def _day(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall):%Y-%m-%d}"
