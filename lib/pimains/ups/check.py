"""NUT's files and this machine, looked at for what does not go together with the settings (plan/checking)."""

import os
import stat
from pathlib import Path

from pimains.core import state, templates
from pimains.core.errors import PimainsError, WrongSetting
from pimains.core.scan_directory import ServiceDirectory
from pimains.ups.plan import checking, nut_conf
from pimains.ups.plan.checking import Fed, File, Finding
from pimains.ups.plan.importing import Imported
from pimains.ups.settings import UpsSettings

_DRIVERS = Path("/lib/nut")
_NO_SHUTDOWN = b"shutdown not supported"  # what a driver says then, in its own words
_UNITS = Path("/etc/systemd/system")
_FIREWALLS = ("nftables.service", "ufw.service", "firewalld.service", "netfilter-persistent.service")
_UNSEEN = "not readable"


def settings_of(service: ServiceDirectory) -> UpsSettings:
    """What it is set to; a secret that only root may read is taken to fit USERNAME. Raises PimainsError for what is wrong."""
    values = {name: _UNSEEN if value is None else value for name, value in service.variables().items()}
    if values.get("PASSWORD") == _UNSEEN and not values.get("USERNAME"):
        values["PASSWORD"] = ""
    return UpsSettings(values, service.path / "variables")


def findings(service: ServiceDirectory, nut: Path) -> list[Finding]:
    """What does not go together; wrong settings are one, too."""
    try:
        settings = settings_of(service)
    except WrongSetting as wrong:
        path, _, what = str(wrong).partition(": ")
        return [Finding(path, 0, what)]
    files = {name: _file(nut / name) for name in checking.FILES}
    here = [each for each in settings.UPS if each.is_here]
    upsmon = files["upsmon.conf"].lines or ()
    flag = nut_conf.last(upsmon, "POWERDOWNFLAG")
    password = service.variables().get("PASSWORD")
    drivers = {line.value for line in files["ups.conf"].lines or () if line.name == "driver"}
    facts = checking.Facts(
        files=files,
        here=[
            Fed(each.name, settings.commands(each), _runtime(service, settings, index))
            for index, each in enumerate(settings.UPS)
            if each in here
        ],
        user=settings.USERNAME or "",
        password=password,
        budget=settings.HOSTSYNC_SECONDS_MAX + settings.FINALDELAY_SECONDS,
        open_secrets=[str(path) for path in settings.exposed()],
        upsmon_starts=_starts("nut-monitor.service", "nut-client.service"),
        has_firewall=_starts(*_FIREWALLS),
        kill_flag_is_there=Path(flag.value if flag else checking.KILL_FLAG).exists(),
        without_shutdown=sorted(driver for driver in drivers if _has_no_shutdown(_DRIVERS / driver)),
    )
    return [*checking.findings(facts), *_ccu(service, settings)]


def _ccu(service: ServiceDirectory, settings: UpsSettings) -> list[Finding]:
    """What the running service has found."""
    said = state.read(service.run / "ccu") if settings.CCU else None
    if not said:
        return []
    path, _, what = said.partition(": ") if said.startswith(f"{settings.directory}/") else (str(settings.directory / "CCU"), "", said)
    return [Finding(path, 0, what)]


def try_out(file: Path, imported: Imported) -> None:
    """Raises PimainsError where the service would not take what was read from `file`."""
    defaults = {name: each.default for name, each in templates.all_of_them()["ups"].variables().items()}
    try:
        UpsSettings({**defaults, **imported.settings}, Path())
    except WrongSetting as wrong:
        line = imported.lines.get(str(wrong).partition(":")[0])
        where = f" (line {line})" if line else ""
        raise PimainsError(f"{file} means settings that the service does not take: {wrong}{where}") from None


def _runtime(service: ServiceDirectory, settings: UpsSettings, index: int) -> float | None:
    prefix = "" if index == 0 else f"{settings.called(settings.UPS[index])}."
    return state.number(state.read(service.run / f"{prefix}battery.runtime"))


def _file(path: Path) -> File:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        mode = path.stat().st_mode
    except OSError:
        return File(str(path), None)
    return File(str(path), nut_conf.read(text), bool(mode & stat.S_IROTH))


def _starts(*units: str) -> bool:
    return any(os.path.lexists(each) for unit in units for each in _UNITS.glob(f"*.wants/{unit}"))


def _has_no_shutdown(driver: Path) -> bool:
    try:
        return _NO_SHUTDOWN in driver.read_bytes()
    except OSError:
        return False
