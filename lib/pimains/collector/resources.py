"""What a collector opens when it starts, as its settings say where it is. Raises WrongSetting, naming the one to edit."""

import sqlite3
from pathlib import Path
from tempfile import TemporaryFile

from pimains.collector.graphs.pictures import Graphs
from pimains.collector.news import News
from pimains.collector.prices import Prices
from pimains.collector.settings import CollectorSettings
from pimains.collector.store import Store
from pimains.core import broken_sqlite, notify_queue, salvage
from pimains.core.instance import Instance
from pimains.shared.readings import journal
from pimains.shared.readings.series.series import TABLES
from pimains.shared.readings.standing_prices import Asked


def open_store(me: Instance, settings: CollectorSettings, prices: Prices) -> Store:
    """The journal in DATA_DIR, and what is drawn of it. Raises journal.Broken, too: then `mend` it."""
    directory = settings.DATA_DIR or me.lib
    try:
        directory.mkdir(parents=True, exist_ok=True)
        graphs = Graphs(directory / "rrd", _pictures(me, settings, directory), settings.RETENTION_DAYS, prices)
        path = directory / "journal.sqlite"
        is_lost = any((directory / "rrd").glob("*.rrd")) and not (path.exists() and path.stat().st_size)
        store = Store(path, graphs, News(me), me.clock, settings.DERIVED)
        if is_lost:
            _tell(me, f"{path}: was lost, a new one is begun", "journal of readings was lost")
        return store
    except (OSError, sqlite3.OperationalError) as error:
        if (directory / "journal.sqlite").is_dir():
            raise journal.Broken(directory / "journal.sqlite", "is a directory") from None
        raise settings.wrong("DATA_DIR", f"{directory}: {error} (user pimains must be able to write there)") from None


def mend(me: Instance, settings: CollectorSettings, broken: journal.Broken) -> None:
    """Begin a new journal with what can be read of the broken one, which nobody has open, and tell people.

    Where somebody has named the directory, what is no database at all may be something else of his.
    """
    if settings.DATA_DIR and not salvage.is_a_database(broken.path):
        raise settings.wrong("DATA_DIR", f"{broken}; move that file away, then svc -t {me.directory}")
    me.status(f"{broken}: what can be read is taken over into a new one", well=False)
    try:
        why = broken_sqlite.verdict(broken.path)
        replaced = why and journal.mended(broken.path, why, TABLES)
    except sqlite3.Error as error:
        raise settings.wrong("DATA_DIR", f"{broken.path}: {error}; then svc -t {me.directory}") from None
    if replaced:
        line = f"{broken.path}: {why}: put aside as {replaced.aside.name}, a new one is begun{replaced.taken}"
        _tell(me, line, "journal of readings was broken")


def _tell(me: Instance, line: str, what: str) -> None:
    me.complain(line)
    me.with_ledger(lambda ledger: ledger.record(me.name, "begins its journal anew", line))
    what_to_do = "Meters send again what they still have of what is missing. Look at the disk: it loses data."
    notify_queue.post(f"{me.name}: its {what}, a new one is begun", f"{line}\n{what_to_do}", "journal-broken")


def _pictures(me: Instance, settings: CollectorSettings, data: Path) -> Path:
    """Where pictures are kept; what another web server shows of it must not hold what only this service may know."""
    www = settings.WWW_DIR
    if www is None:
        return me.run / "graphs"
    for kept in (data, settings.TOKENS, settings.TLS_KEY, settings.POWERPI_LOGINS):
        if kept and kept.resolve().is_relative_to(www.resolve()):
            raise settings.wrong("WWW_DIR", f"{kept} would lie in it, where another web server might show it")
    try:
        www.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=www):
            return www
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise settings.wrong("WWW_DIR", f"{www}: {why} (user pimains must be able to write there)") from None


def prices_of(me: Instance, settings: CollectorSettings) -> Prices:
    """What its sources cost."""
    return Prices(Asked(settings.PRICES, settings.PRICE, settings.PRICE_M3, settings.CURRENCY or ""), settings.DATA_DIR or me.lib)
