"""What the halt service may be told."""

from pimains.core.settings import Settings, command, number


class HaltSettings(Settings):
    """services/halt/variables/."""

    HALT_COMMAND = command()
    HALT_GRACE_SECONDS = number(0, 3600, "time in seconds")
    STEP_SECONDS_MAX = number(1, 3600, "time in seconds")
    UPGRADE_SECONDS_MAX = number(1, 3600, "time in seconds")
