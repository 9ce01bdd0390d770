"""A collector's journal as its settings want it to be read: with the sources that are sums of others, and with prices."""

from pathlib import Path

from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.readings.collectors_journal import path_of, up_to_date
from pimains.shared.readings.plan import derived
from pimains.shared.readings.series.costs import Costs
from pimains.shared.readings.series.derived_series import DerivedSeries
from pimains.shared.readings.series.series import Series
from pimains.shared.readings.standing_prices import Asked, standing


class CollectorJournal:
    """The journal of one collector."""

    def __init__(self, collector: ServiceDirectory) -> None:
        variables = collector.variables()
        file = variables.get("PRICES")
        self.collector = collector
        self.path = path_of(collector)
        price, price_m3 = _number(variables.get("PRICE")), _number(variables.get("PRICE_M3"))
        self.asked = Asked(Path(file) if file else None, price, price_m3, variables.get("CURRENCY") or "")
        try:
            self.derived = derived.read(variables.get("DERIVED") or "")
            self.derived = [] if derived.circle(self.derived) else self.derived
        except ValueError:  # its service says so
            self.derived = []

    def costs(self) -> Costs:
        """By what holds now, as the service has it."""
        return Costs(standing(self.asked, self.path.parent).tariffs)

    def series(self) -> Series:
        """For reading alone, with what its meters have sent until now. Raises PimainsError."""
        return up_to_date(self.collector, lambda path: DerivedSeries(path, self.derived, only_look=True))


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:  # its service says so
        return None
