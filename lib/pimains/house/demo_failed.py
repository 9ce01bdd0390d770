"""What ends a demo before its time."""

from pimains.core.errors import PimainsError


class DemoFailed(PimainsError):
    """A step of the demo did not work out; the text says which and shows its last lines."""
