"""What the plug service may be told."""

from pimains.core.settings import Settings, choice, host, integer, key, number, optional, port, text


class PlugSettings(Settings):
    """services/plug/variables/."""

    HOST = host()
    PORT = port()
    ENCRYPTION_KEY = optional(key())
    PASSWORD = optional(text("password", secret=True))
    DELAY_SWITCH = text("name of a switch")
    REAL_DELAY_SWITCH = text("name of a switch")
    HEARTBEAT_SWITCH = text("name of a switch")
    COUNTDOWN_NUMBER = text("name of a number")
    DEAD_MAN_NUMBER = text("name of a number")
    POWER_SENSOR = text("name of a sensor")
    SHUTDOWN_SECONDS_MAX = integer(5, 3600, "time in seconds")
    IDLE_WATTS = optional(number(0, 100, "power in W"))
    ON_LOST = choice("ignore", "shutdown")
    DEAD_MAN_SECONDS = integer(60, 86400, "time in seconds")
    FEEDS = choice("this", "another")
    LOG_LEVEL = choice("error", "warning", "info", "debug")

    def check_together(self) -> None:
        """No other machine's plug waits for heartbeats of this one."""
        if self.FEEDS == "another" and self.ON_LOST == "shutdown":
            raise self.wrong("ON_LOST", "is shutdown; with FEEDS another the plug would cut another machine when this one is away")
