"""What the rsync service may be told."""

import ipaddress

from pimains.core.settings import Setting, Settings, integer, path, port


def local_address() -> Setting[str]:
    """An IPv4 address of this machine, or 0 for all; tcpserver knows no others."""

    def parse(text: str) -> str:
        return text if text == "0" else str(ipaddress.IPv4Address(text))

    return Setting(parse, "address", "an IPv4 address such as 192.168.1.5, or 0 for all")


class RsyncSettings(Settings):
    """services/rsync/variables/."""

    PORT = port()
    LOCALIP = local_address()
    MAXDAEMONS = integer(1, 1000, "number of connections")
    MAXPERIP = integer(1, 1000, "number of connections")
    SOFT_MEM = integer(16_777_216, 4_294_967_296, "number of bytes")
    CONFIG = path()
