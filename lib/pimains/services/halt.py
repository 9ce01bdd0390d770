"""halt: the only service that shuts this machine down."""

from pimains.core.service import Instance, Naps, run, seconds
from pimains.settings.halt import HaltSettings


def halt(me: Instance, settings: HaltSettings) -> Naps:
    """Wait for a request, run the steps in order, shut down."""
    me.status("ready")
    while settings.HALT_COMMAND:
        yield seconds(3600)


if __name__ == "__main__":
    run(halt, HaltSettings, user=None)
