"""What is said to a host, or asked about it, each in a child of its own: nobody waits for a host that hangs.

    talk = talk.look_at(host)
    yield within(5.0, talk)
    if talk.has_ended(): talk.answer()

Each ends by itself within its seconds, and is killed when it is closed. The answers are those of ssh.py, proof.py and magic.py:

    look_at(host)     "up", "refuses" or "silent" (plan/proving)
    boot_id(host)     of a host with SSH, "" where its authorized_keys does not tell it
    order_down(host)  that boot id, once COMMAND was given
    wake(host)        the interfaces that magic packets went out of

`answer` raises Away: not now, it may help to try again; Refused: the host will not take it, a person has to look; WrongSetting: a file in
hosts/NAME has to be edited. Each has one line for people, with what to do.
"""

from collections.abc import Callable

from pimains.core.errors import Away, Refused, WrongSetting
from pimains.core.process.function import Forked
from pimains.ups.hosts import magic, proof, ssh
from pimains.ups.hosts.settings import HostSettings

_MARGIN_SECONDS = 5.0  # of the child beside its program: a busy machine takes long to start one, a name server to be silent


class Talk(Forked):
    """Under way with one host; readable when it has ended."""

    def __init__(self, host: HostSettings, function: Callable[[], str], seconds: float) -> None:
        """Raises Away where there is no room for another process."""
        self.host = host
        try:
            super().__init__(function, seconds + _MARGIN_SECONDS)
        except OSError as error:
            raise Away(f"{host.name}: {(error.strerror or str(error)).lower()}") from None

    def answer(self) -> str:
        """What came of it, once it has ended; the errors are those named above."""
        try:
            return super().answer()
        except OSError as error:
            raise Away(f"{self.host.way}: {(error.strerror or str(error)).lower()}") from None


def look_at(host: HostSettings, seconds: float = proof.LOOK_SECONDS) -> Talk:
    """Take one look at whether it is up."""
    return Talk(host, lambda: proof.look(_address(host), host.PROOF, seconds), seconds)


def boot_id(host: HostSettings, seconds: float = ssh.LOGIN_SECONDS) -> Talk:
    """Log in and do nothing: who has another boot id than before was up again meanwhile."""
    return Talk(host, lambda: ssh.look(host, seconds), seconds)


def order_down(host: HostSettings, seconds: float = ssh.COMMAND_SECONDS) -> Talk:
    """Have it shut down."""
    return Talk(host, lambda: ssh.order(host, seconds), seconds)


def wake(host: HostSettings) -> Talk:
    """Have it start."""
    return Talk(host, lambda: magic.send(_mac(host)), magic.SECONDS)


def _address(host: HostSettings) -> str:
    if not host.address:
        raise Refused(f"{host.name}: hangs on a plug, and has no address to look at")
    return host.address


def _mac(host: HostSettings) -> str:
    if not host.MAC:
        raise WrongSetting(f"{host.directory / 'MAC'}: is empty; nothing wakes {host.name} by network")
    return host.MAC
