"""The packages that a demo needs: those of this checkout, built first, and Debian's."""

import os
import subprocess
import tempfile

from pimains.core import paths
from pimains.house import demo_meter, demo_pins, demo_sun, demo_ups
from pimains.house.demo_failed import DemoFailed
from pimains.house.demo_progress import progress


def install() -> None:
    """Build the packages from this checkout and install them with what they need.

    Raises DemoFailed without root, and when a step fails; does nothing without a checkout.
    """
    top = paths.checkout()
    if top is None:
        return
    if os.geteuid() != 0:
        raise DemoFailed("it installs packages: run it as root (sudo ./create_service --demo), or with --no-install to use what is there")
    step("Building the packages (the first time takes a minute or two)", str(top / "debian/build"), is_finished=False)
    packages = sorted(str(path) for path in (top / "dist").glob("*.deb"))
    if not any("/python3-aioesphomeapi_" in package for package in packages):
        packages.append("python3-aioesphomeapi")  # this Debian has it
    step("Installing them", "apt-get", "install", "-y", "--no-install-recommends", "--allow-downgrades", "--reinstall", *packages)
    if more := " ".join(filter(None, (demo_meter.missing(), demo_pins.missing(), demo_sun.missing(), demo_ups.missing()))):
        what = "Installing what meter, collector, vedirect, relays and ups need"
        step(what, "apt-get", "install", "-y", "--no-install-recommends", *more.split())


def step(what: str, *words: str, is_finished: bool = True) -> None:
    """Carry out a command, and show what it said only if it fails, by DemoFailed.

    Who interrupts it waits until it has ended (`is_finished`: by itself, for dpkg amid its work leaves packages that are half there).
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with progress(what), tempfile.TemporaryFile("w+") as said:
        # ^C is for the demo
        with subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, start_new_session=True
        ) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                if is_finished:
                    print("\nFinishing that first: packages are not to be half there", flush=True)
                else:
                    process.terminate()
                process.wait()
                raise
        if code:
            said.seek(0)
            raise DemoFailed(f"{what}: did not work\n" + "".join(said.readlines()[-20:]))
