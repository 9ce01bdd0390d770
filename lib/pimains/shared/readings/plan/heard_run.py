"""A run of a source as its readings tell it: from when until when it went on, and beside which others."""

from typing import NamedTuple

from pimains.shared.plan.delivery import Boot


class HeardRun(NamedTuple):
    """A run of a source: the kernel's name for its boot, who sent it, when that boot was, and its first and last uptime."""

    name: str
    kernel_boot: str
    host: str
    boot: Boot
    first: float
    last: float

    @property
    def words(self) -> str:
        """Whose it is."""
        return f"{self.host or 'a machine'} (boot {self.kernel_boot[:8]})"

    def seconds_beside(self, other: "HeardRun") -> float:
        """How long both have gone on at the same time; 0 where that is not known."""
        if self.kernel_boot == other.kernel_boot:
            apart = 0.0
        elif self.boot.offset is None or other.boot.offset is None or not (self.boot.synchronised and other.boot.synchronised):
            return 0.0
        else:
            apart = other.boot.offset - self.boot.offset
        return max(0.0, min(self.last, other.last + apart) - max(self.first, other.first + apart))

    def later_than(self, other: "HeardRun") -> float:
        """How much later its last reading is than the other's."""
        apart = 0.0 if self.kernel_boot == other.kernel_boot else (other.boot.offset or 0.0) - (self.boot.offset or 0.0)
        return self.last - (other.last + apart)
