"""Which machine this is, whatever it is called."""

import os
from pathlib import Path

# a Raspberry Pi's own (its device tree): cards are copied from one Pi to the next, and machine-id(5) with them
_PLACES = (Path("/sys/firmware/devicetree/base/serial-number"), Path("/etc/machine-id"))


def identity() -> str:
    """32 hexadecimal digits that no other machine has; "" if nothing tells. What they are made of stays here."""
    import hashlib  # with OpenSSL half a megabyte, and most only ask what the machine is called

    for place in _PLACES:
        try:
            number = place.read_text(encoding="ascii", errors="replace").strip("\0 \n")
        except OSError:
            continue
        if number.strip("0"):
            return hashlib.sha256(f"pimains {number}".encode()).hexdigest()[:32]
    return ""


def own_name() -> str:
    """What this machine is called, without its domain."""
    return os.uname().nodename.partition(".")[0]
