"""What a collector finds out about its sources, and people want to know: each is told once, and stands in the ledger."""

from pimains.core import notify_queue
from pimains.core.instance import Instance
from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.series.counters import Anew


class News:
    """Tells it, from whatever thread."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._two_senders: set[str] = set()
        self._other_units: set[str] = set()

    def counts_anew(self, meter: Meter, anew: Anew) -> None:
        """A source has a new counter."""
        before = tuple(each for each in (*meter.before, meter.register) if each and each.pulses < anew.reached)
        known = meter._replace(register=before[-1], before=before[:-1]) if before else meter  # not what the new one has shown
        face = known.total(anew.reached)
        line = f"{meter.source} counts anew from {_number(meter.amount(anew.begins))}; its face was {_number(face)}"
        self._tell(line, "its count has fallen", "pimains meter set TOTAL, where it is counted, puts the face right", "counts-anew")

    def other_unit(self, source: str, words: str) -> None:
        """It is refused; said once."""
        if source not in self._other_units:
            self._other_units.add(source)
            self._tell(f"refuses the readings of {source}", words, "Its meter keeps them until then.", "other-unit")

    def two_senders(self, source: str, words: str) -> None:
        """They are refused; said once until they are not."""
        if source not in self._two_senders:
            self._two_senders.add(source)
            self._tell(f"refuses the readings of {source}", words, "Both keep what they have until then.", "two-senders")

    def one_sender(self, source: str) -> None:
        """It is taken again."""
        if source in self._two_senders:
            self._two_senders.discard(source)
            line = f"takes the readings of {source} again"
            print(line)
            self._me.with_ledger(lambda ledger: ledger.record(self._me.name, line, "one meter alone sends as it now"))

    def put_back(self, line: str) -> None:
        """Its journal was taken from under it."""
        what_to_do = "svc -d comes before a journal is removed, or an old copy put in its place."
        self._tell("writes its journal of readings anew", line, what_to_do, "journal-broken")

    def _tell(self, action: str, cause: str, what_to_do: str, event: str) -> None:
        print(f"{action}: {cause}")
        self._me.with_ledger(lambda ledger: ledger.record(self._me.name, action, cause))
        notify_queue.post(action, f"{cause}\n{what_to_do}", event)


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
