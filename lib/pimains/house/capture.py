"""What a device with a VE.Direct port once sent, played at a vedirect service: a file of the bytes as they came.

    stty -F PORT 19200 raw -echo && timeout 1d cat PORT >day.ve     a day of a real one, while its service is stopped
    python3 -m pimains.house.capture day.ve --link LINK

LINK becomes a link to a pty: the PORT of the service. Nothing is left out where that reads slowly, or begins late. At the end it says how
much that was, and stays plugged in until its standard input ends.
"""

import argparse
import select
import sys
import time
from pathlib import Path

from pimains.house.sun import Cable

_WIRE_BYTES = 1920  # a second, at 19200 baud
_PIECE_SECONDS = 0.02


def main(options: argparse.Namespace) -> None:
    """Play it."""
    try:
        file = options.file.open("rb")
    except OSError as error:
        sys.exit(f"{options.file}: {(error.strerror or str(error)).lower()}; --help tells how such a file is made")
    cable = Cable(options.link)
    cable.plug()
    print(f"speaking at {options.link}", flush=True)
    due = time.monotonic()
    count = 0
    piece = max(1, int(options.rate * _PIECE_SECONDS))
    try:
        with file:
            while data := file.read(piece):
                count += len(data)
                while data := data[cable.pour(data) :]:
                    time.sleep(_PIECE_SECONDS)
                due = max(due + piece / options.rate, time.monotonic() - _PIECE_SECONDS)
                time.sleep(max(0.0, due - time.monotonic()))
        print(f"played {count} bytes", flush=True)
        while select.select([sys.stdin], [], [])[0] and sys.stdin.readline():
            pass
    except KeyboardInterrupt:
        pass
    finally:
        cable.unplug()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.capture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the bytes as they came from the cable")
    parser.add_argument("--link", type=Path, required=True, metavar="LINK", help="where the port is to be")
    parser.add_argument("--rate", type=float, default=_WIRE_BYTES, metavar="BYTES", help="a second (default: %(default)s, as on the wire)")
    main(parser.parse_args())
