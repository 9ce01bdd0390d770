"""What the vedirect service may be told."""

from collections.abc import Mapping
from pathlib import Path

from pimains.core.settings import Setting, Settings, number
from pimains.vedirect import lasting_name


def _port(value: str) -> Path:
    if not value.startswith("/"):
        raise ValueError
    return Path(value)


class VedirectSettings(Settings):
    """services/vedirect/variables/."""

    PORT = Setting(_port, "serial port", "such as /dev/serial/by-id/usb-VictronEnergy_BV_VE_Direct_cable_VE1234AB-if00-port0")
    LOST_SECONDS = number(2, 3600, "time in seconds")

    @classmethod
    def advice(cls, values: Mapping[str, str]) -> list[str]:
        """A port that may be another one after a reboot is better known of now."""
        line = lasting_name.advice(Path(values["PORT"]))
        return [f"PORT: {line}"] if line else []
