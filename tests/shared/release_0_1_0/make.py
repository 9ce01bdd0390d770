"""Makes the files beside it, with the code of release 0.1.0: PYTHONPATH=<checkout of a64c295>/lib python3 make.py

A meter's journal with two boots (the first accepted up to 3 of 5, the second not at all, three of its readings recent), the
request that it sends, what the collector of that release stores of it, and how that answers.
"""

import sqlite3
from pathlib import Path

from pimains.core.journal import Journal
from pimains.plan import delivery
from pimains.plan.delivery import Batch, Boot, Face, Reading

HERE = Path(__file__).parent
BOOTS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def main() -> None:
    """Make them."""
    meter = Journal(HERE / "meter.sqlite", HERE / "recent.sqlite")
    for number, boot in enumerate(BOOTS):
        id_ = meter.boot("house", boot, Boot(1_790_000_000.0 + 1000 * number, synchronised=True))
        for sequence in range(1, 6):
            meter.note(id_, Reading(boot, sequence, None, 5.0 * sequence, 100 * number + 10 * sequence))
            if (number, sequence) == (1, 2):
                meter.save()
        if number == 0:
            boots, _ = meter.unsent(3)
            meter.acknowledge(boots, {boot: 3})
    boots, readings = meter.unsent(100)
    request = delivery.written(Batch("house", "kWh", 1000, Face(0, 12345.6), boots, readings))
    (HERE / "request.json").write_bytes(request)
    collector = Journal(HERE / "collector.sqlite")
    batch = delivery.read(request)
    collector.store(batch.source, batch.boots, batch.readings)
    (HERE / "answer.json").write_bytes(delivery.acknowledged(batch))
    for journal in (meter, collector):
        journal.close()
    for name in ("meter", "collector"):
        with sqlite3.connect(HERE / f"{name}.sqlite") as connection:
            connection.execute("pragma wal_checkpoint(truncate)")


if __name__ == "__main__":
    main()
