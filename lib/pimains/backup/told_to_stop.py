"""Whether a backup or a restore is to end half-way: for whatever waits for the programs that copy."""

import os
import signal


class ToldToStop:
    """Readable once this process is told to stop: by a signal, or by the end of its input."""

    def __init__(self, *, by_input: bool) -> None:
        self._by_input = by_input
        self._out, inward = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        if not by_input:
            signal.set_wakeup_fd(inward, warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, lambda *_: None)

    def fileno(self) -> int:
        """For poll."""
        return 0 if self._by_input else self._out
