"""FSD on the UPSes that this machine commands, and the clients that have to leave before it does.

Each call is made over the UPS's own link, in its thread; what came of it stands here. LIST CLIENT is answered also when the driver is dead.
"""

from contextlib import suppress

from pimains.core.errors import Away, WrongSetting
from pimains.core.plan.text import short_line
from pimains.ups.nut import Nut
from pimains.ups.plan import clients
from pimains.ups.replies import ErrorReply


class Forcing:
    """One UPS; `clients` are the addresses of who else is logged in, None while that is not known."""

    def __init__(self) -> None:
        self.is_answered = False
        self.refused = ""  # what a person has to mend in upsd.users
        self.trouble = ""
        self.clients: tuple[str, ...] | None = None
        self.is_to_stand = True  # else FSD is not said once more to an upsd that was restarted: nobody goes down for it any longer
        self._told_over = 0  # the connection over which FSD was said
        self._not_back: tuple[str, ...] = ()  # who was logged in over an earlier one
        self.wants_return = False  # shutdown.return is to be said, and upsd was not there to hear it
        self.returned = ""  # what came of it
        self.runs_empty = ""  # why it is not cut
        self.is_logged_out = False

    @property
    def is_over(self) -> bool:
        """Whether upsd has answered, one way or the other."""
        return self.is_answered or bool(self.refused)

    def force(self, nut: Nut) -> None:
        """Set FSD, and look who is there."""
        try:
            nut.force_shutdown()
            self._told_over = nut.connections
            self.is_answered, self.refused, self.trouble = True, "", ""
        except WrongSetting as wrong:
            self.refused = str(wrong)
        except (Away, ErrorReply) as error:
            self.trouble = short_line(str(error))
            return
        self.look(nut)

    def look(self, nut: Nut) -> None:
        """Who is logged in beside this machine. An upsd that may be another one is told FSD again; who was there has to come back."""
        with suppress(Away, ErrorReply, WrongSetting):  # the last answer stands
            if self.is_to_stand and self.is_answered and nut.connections != self._told_over:
                nut.force_shutdown()
                self._told_over, self._not_back = nut.connections, self.clients or ()
            listed = clients.others(nut.clients(), nut.own_address, int(nut.is_logged_in))
            self._not_back = tuple(clients.gone(self._not_back, listed))
            self.clients = (*listed, *self._not_back)

    def return_load(self, nut: Nut) -> None:
        """Have the UPS cut its output, and give it back with the mains; where it cannot, it runs empty."""
        try:
            nut.command("shutdown.return")
            self.returned = "is told to cut its output and to return with the mains"
        except Away:
            self.wants_return = True
        except (ErrorReply, WrongSetting) as error:
            self.runs_empty = short_line(str(error))
            self.returned = short_line(f"does not take shutdown.return and runs empty: {error}")

    def log_out(self, nut: Nut) -> None:
        """The primary waits for this machine no longer."""
        try:
            nut.log_out()
        except (Away, ErrorReply):
            pass  # closed, which is as good
        finally:
            self.is_logged_out = True
