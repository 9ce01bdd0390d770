"""The service rsync: services/rsync/README.md says what it is for, this how it goes about it.

It checks what there is and then becomes tcpserver, which costs half a megabyte: bound as root, it goes on as user pimains.
"""

import os
import pwd
import shutil
import signal
import sys

from pimains.core import alive, paths
from pimains.core.service import Instance, Naps, run, seconds
from pimains.core.troubles import Troubles
from pimains.rsync.settings import RsyncSettings
from pimains.shared.fileserver.tcp_lines import error_text, listen

_LOOK_SECONDS = 2.0
_NEEDED = {"tcpserver": "ucspi-tcp", "rsync": "rsync", "softlimit": "daemontools", "flock": "util-linux"}


def rsync(me: Instance, settings: RsyncSettings) -> Naps:
    """Be tcpserver as soon as it would not fail."""
    if not settings.CONFIG.is_file():
        sample = paths.service_templates() / "rsync/rsyncd.conf"
        raise settings.wrong("CONFIG", f"{settings.CONFIG} is not there; a sample is {sample}")
    troubles = Troubles(me.complain)
    while trouble := missing() or occupied(settings):
        troubles.look("start", trouble)
        me.status(trouble, well=False)
        yield seconds(_LOOK_SECONDS)
    places = me.run / "places"
    shutil.rmtree(places, ignore_errors=True)
    places.mkdir()
    identity = own_identity()
    if identity:
        for path in (places, "/proc/self/fd/2"):  # rsync opens its log anew, as user pimains
            os.chown(path, *identity)
    me.status(f"port {settings.PORT}, at most {settings.MAXDAEMONS} connections, {settings.MAXPERIP} of one address")
    become_tcpserver(settings, str(places), identity)


def missing() -> str:
    """What has to be installed first; "" if nothing."""
    for program, package in _NEEDED.items():
        if not shutil.which(program):
            return f"{program} is not installed: apt install {package}"
    return ""


def occupied(settings: RsyncSettings) -> str:
    """Why it cannot listen, "" if it can; at boot an address may come late."""
    try:
        listen("0.0.0.0" if settings.LOCALIP == "0" else settings.LOCALIP, settings.PORT, backlog=1).close()  # noqa: S104  # as LOCALIP says
    except OSError as error:
        where = f"{settings.LOCALIP}:{settings.PORT}"
        return f"cannot listen on {where} ({error_text(error)}): see variables/LOCALIP and variables/PORT"
    return ""


def own_identity() -> tuple[int, int] | None:
    """User and group to go on as; None when this is not root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("pimains")
    return entry.pw_uid, entry.pw_gid


def become_tcpserver(settings: RsyncSettings, places: str, identity: tuple[int, int] | None) -> None:
    """Never returns."""
    user = [f"-u{identity[0]}", f"-g{identity[1]}"] if identity else []
    serve = str(paths.service_templates() / "rsync/serve")
    limits = [str(settings.MAXPERIP), str(settings.SOFT_MEM)]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would its successors
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    alive.keep_as_another_program()
    # no look-ups of names or of ident, which Debian's tcpserver would make for each connection
    words = ["tcpserver", "-RHl0", f"-c{settings.MAXDAEMONS}", *user, settings.LOCALIP, str(settings.PORT)]
    os.execvp(words[0], [*words, serve, *limits, places, str(settings.CONFIG)])  # noqa: S606  # none is wanted


if __name__ == "__main__":
    run(rsync, RsyncSettings, user=None)
