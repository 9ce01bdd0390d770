"""What is said to a host, or asked about it, each in a child of its own: nobody waits for a host that hangs.

    talk = talk.look_at(host)
    yield within(5.0, talk)
    if talk.has_ended(): talk.answer()

Each ends by itself within its seconds, and is killed when it is closed. The answers are those of ssh.py, proof.py, magic.py and plug.py:

    look_at(host)     "up", "refuses" or "silent" (plan/proving)
    boot_id(host)     of a host with SSH, "" for any other, and where its authorized_keys does not tell it
    order_down(host)  that boot id, once COMMAND was given; of a plug what its service says. A NUT client goes by FSD: WrongSetting
    wake(host)        the interfaces that magic packets went out of; of a plug what its service says

`answer` raises Away: not now, it may help to try again; Refused: the host will not take it, a person has to look; WrongSetting: a file in
hosts/NAME has to be edited. Each has one line for people, with what to do.
"""

from collections.abc import Callable

from pimains.core.errors import Away, WrongSetting
from pimains.core.process.function import Forked
from pimains.ups.hosts import magic, plug, proof, ssh
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
    if host.PLUG:
        return Talk(host, lambda: plug.look(host), plug.SECONDS)
    return Talk(host, lambda: proof.look(host.address, host.PROOF, seconds), seconds)


def boot_id(host: HostSettings, seconds: float = ssh.LOGIN_SECONDS) -> Talk:
    """Log in and do nothing: who has another boot id than before was up again meanwhile."""
    return Talk(host, lambda: ssh.look(host, seconds) if host.SSH else "", seconds)


def order_down(host: HostSettings, seconds: float = ssh.COMMAND_SECONDS) -> Talk:
    """Have it shut down."""
    if host.PLUG:
        return Talk(host, lambda: plug.switch_off(host), plug.SECONDS)
    return Talk(host, lambda: ssh.order(host, seconds), seconds)


def wake(host: HostSettings) -> Talk:
    """Have it start."""
    if host.PLUG:
        return Talk(host, lambda: plug.switch_on(host), plug.SECONDS)
    return Talk(host, lambda: magic.send(_mac(host)), magic.SECONDS)


def _mac(host: HostSettings) -> str:
    if not host.MAC:
        raise WrongSetting(f"{host.directory / 'MAC'}: is empty; nothing wakes {host.name} by network")
    return host.MAC
