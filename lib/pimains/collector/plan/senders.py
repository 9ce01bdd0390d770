"""Two meters that send as one source, such as those of a cloned card: their runs go on at the same time.

Both are refused until one has another SOURCE, and keep what they have. A run that ended before another began may send what it
kept at any time. Whether two went on at once is known where their clock is the same, in one boot, or both were synchronised.
"""

from pimains.shared.plan.delivery import Batch, Boot
from pimains.shared.readings.plan.heard_run import HeardRun

OVERLAP_SECONDS = 60.0  # less is a clock that was put right a little
SILENT_SECONDS = 300.0  # a meter that is refused tries each minute: who did not for longer has another SOURCE by now


class Senders:
    """Who was found to send beside another one; times are of a clock that does not jump."""

    def __init__(self) -> None:
        self._tried: dict[str, dict[str, float]] = {}
        self._words: dict[str, str] = {}

    def refusal(self, batch: Batch, known: list[HeardRun], now: float) -> str:
        """Why a request is not taken now, '' when it is; `known` is what is stored of its source."""
        brought = _brought(batch, known)
        for mine in brought:
            for other in known:
                if other.name not in batch.boots and _send_at_once(mine, other):
                    self._tried.setdefault(batch.source, {}).setdefault(other.name, now)
                    self._tried[batch.source][mine.name] = now
                    self._words.setdefault(batch.source, _words(batch.source, other, mine))
        tried = self._tried.get(batch.source, {})
        mine_tried = tried.keys() & {run.name for run in brought}
        if not mine_tried:
            return ""
        tried.update(dict.fromkeys(mine_tried, now))
        if all(name in mine_tried or now - at > SILENT_SECONDS for name, at in tried.items()):
            del self._tried[batch.source], self._words[batch.source]
            return ""
        return self._words[batch.source]

    def are_two(self, source: str) -> bool:
        """Whether it is not known yet that one of them sends no more."""
        return source in self._tried

    def trouble(self, now: float) -> str:
        """What somebody has to look after, '' for nothing."""
        for source, tried in self._tried.items():
            if sum(now - at <= SILENT_SECONDS for at in tried.values()) > 1:
                return self._words[source]
        return ""


def _brought(batch: Batch, known: list[HeardRun]) -> list[HeardRun]:
    """The runs that a request has readings of, as they would be when these were stored."""
    stored = {run.name: run for run in known}
    uptimes: dict[str, list[float]] = {}
    for reading in batch.readings:
        uptimes.setdefault(reading.boot, []).append(reading.uptime)
    found = []
    for name, took in uptimes.items():
        said = batch.runs.get(name)
        new = HeardRun(name, (said and said.boot) or name, batch.host, Boot(None), took[0], took[0])
        run = stored.get(name, new)
        boot = batch.boots.get(name, run.boot)
        better = boot if run.boot.is_improved_by(boot) else run.boot
        found.append(run._replace(boot=better, first=min(run.first, *took), last=max(run.last, *took)))
    return found


def _send_at_once(mine: HeardRun, other: HeardRun) -> bool:
    """Whether both go on: one that has ended long ago goes on no more."""
    return mine.seconds_beside(other) > OVERLAP_SECONDS and mine.later_than(other) < SILENT_SECONDS


def _words(source: str, first: HeardRun, second: HeardRun) -> str:
    return f"two meters send as {source}: {first.words} and {second.words}; give one of them another SOURCE"
