#!/usr/bin/env python3
"""What a newcomer waits for: a fresh Debian, this checkout as it is committed, the first command of README.md, until the page lets him in.

    tests/whole/bench/newcomer.py [bookworm] [trixie]          (as root; a network; mmdebstrap)

The Debian is mmdebstrap's minbase: it has not even Python. Making it does not count; everything that the command downloads, builds and
installs does. Then how much memory and CPU the whole demo takes, and what is left of it after ^C.
"""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.kit import TOP, until  # noqa: E402  # only findable now
from tests.web.page import Session  # noqa: E402  # only findable now
from tests.whole.debian_root import RELEASES  # noqa: E402  # only findable now

_LOOKS_SECONDS = 60
_SECONDS_MAX = 1800
_INSIDE = r"""
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
chmod 1777 tmp
cat /etc/resolv.conf >etc/resolv.conf
# whom this machine believes beyond what Debian brings: a network may be behind somebody who reads along
for each in /etc/pip.conf /usr/local/share/ca-certificates/*; do
    [ ! -f "$each" ] || { mkdir -p "./${each%/*}"; cat "$each" >".$each"; }
done
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d # there is no init that would start what is installed
chmod 755 usr/sbin/policy-rc.d
exec chroot . /bin/bash -c 'cd /root/pimains; ./create_service --demo; exit $?'
"""


class Newcomer:
    """The command, at a terminal in that Debian."""

    def __init__(self, root: Path) -> None:
        self.said = ""
        self._here, there = pty.openpty()
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", _INSIDE, "newcomer", str(root)]
        environment = {**os.environ, "HOME": "/root", "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp", **_registry()}
        self.process = subprocess.Popen(words, env=environment, stdin=there, stdout=there, stderr=there, start_new_session=True)
        os.close(there)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # its last process has closed the terminal
            while said := os.read(self._here, 4096):
                self.said += said.decode(errors="replace").replace("\r\n", "\n")

    @property
    def init(self) -> int:
        """The first process in there, as seen from here."""
        return _child(self.process.pid)

    def pids(self) -> list[int]:
        """All of it, as seen from here."""
        space = Path(f"/proc/{self.init}/ns/pid").readlink()
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (each / "ns/pid").readlink() == space:
                    found.append(int(each.name))
        return found


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _registry() -> dict[str, str]:
    """Where npm's packages come from on this machine, if that is said; what fetches them in there is no npm."""
    for file in (Path("~/.npmrc").expanduser(), Path("/etc/npmrc")):
        with contextlib.suppress(OSError):
            if found := re.search(r"^registry *= *(\S+)", file.read_text(), re.MULTILINE):
                return {"npm_config_registry": found[1]}
    return {}


@contextlib.contextmanager
def fresh(release: str) -> Iterator[Path]:
    """That Debian, with the checkout in /root/pimains."""
    with tempfile.TemporaryDirectory(prefix="pimains-newcomer-") as top:
        root = Path(top) / release
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", release, root], check=True)
        checkout = root / "root/pimains"
        checkout.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", TOP, "archive", "HEAD"], stdout=subprocess.PIPE, check=True)
        subprocess.run(["tar", "-x", "-C", checkout], input=archive.stdout, check=True)
        yield root


def cost(pids: list[int]) -> tuple[float, float]:
    """MB of PSS, and seconds of CPU until now."""
    kilobytes, ticks = 0, 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += int(re.search(r"^Pss: +([0-9]+)", rollup, re.MULTILINE)[1])  # type: ignore[index]
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return kilobytes / 1000, ticks / os.sysconf("SC_CLK_TCK")


def measure(release: str) -> None:
    """One of them."""
    with fresh(release) as root:
        began = time.monotonic()
        newcomer = Newcomer(root)
        try:
            page = re.compile(r"(http://127\.0\.0\.1:[0-9]+)/   (\S+)")
            until(lambda: page.search(newcomer.said) or newcomer.process.poll() is not None, _SECONDS_MAX, lambda: newcomer.said[-3000:])
            found = page.search(newcomer.said)
            if found is None:
                sys.exit(f"{release}: {newcomer.said[-3000:]}")
            assert Session(found[1], found[2]).show("/").status_code == 200
            print(f"{release}: the page let a newcomer in {time.monotonic() - began:.0f} s after the command", flush=True)
            print("".join(f"    {line}\n" for line in newcomer.said.splitlines() if "There is no" in line), end="")
            time.sleep(10)  # what has just begun is no standing cost
            _, before = cost(newcomer.pids())
            time.sleep(_LOOKS_SECONDS)
            megabytes, after = cost(newcomer.pids())
            count = len(newcomer.pids())
            print(f"    {count} processes, {megabytes:.0f} MB (PSS), {(after - before) / _LOOKS_SECONDS * 100:.0f} % of a core")
            began = time.monotonic()
            os.kill(_child(newcomer.init), signal.SIGINT)
            code = newcomer.process.wait(120)
            print(f"    ^C: exit code {code} after {time.monotonic() - began:.1f} s", flush=True)
        finally:
            newcomer.process.kill()
            newcomer.process.wait()


if __name__ == "__main__":
    for each in sys.argv[1:] or RELEASES:
        measure(each)
