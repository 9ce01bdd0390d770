"""What the halt step has done where no service answers: relays that the keeper still holds go off for a halt all the same.

    python3 -m pimains.relays.without_service halt|rehearse|stay REASON

A service that was stopped (svc -d, ON_STOP keep), that waits for a setting to be mended, or that hangs has left its lines with the keeper,
which would keep them until the power goes. This stands in for it for a moment, with the same guards, histories and ledger.
"""

import sys
from pathlib import Path

from pimains.core import state
from pimains.core.instance import Instance
from pimains.relays.keeper import SOCKET
from pimains.relays.settings import RelaysSettings
from pimains.relays.switchboard import HALTING, SETTINGS, Switchboard

_STOPPED = "stopped"


def main(what: str, why: str) -> None:
    """Do it and print what was done; nothing where no lines are held."""
    me = Instance(RelaysSettings.only_as, Path.cwd())
    if what == "stay":
        if state.read(me.run / HALTING) is not None:
            me.leave(HALTING, None)
            print("no service runs: what was switched off stays so until one does")
        return
    if not (me.run / SOCKET).exists():
        return
    status = state.read(me.run / "status") or _STOPPED
    board = Switchboard(me, _settings(me))
    try:
        board.begin_with_kept()
        print(f"no service answers; {board.rehearse() if what == 'rehearse' else board.halt(why)}")
    finally:
        board.contacts.close(for_good=False)
        me.leave("status", status)


def _settings(me: Instance) -> RelaysSettings:
    """Where those of each relay are, as the service has left word; none of its others has to do with what goes off."""
    return RelaysSettings({"RELAYS": state.read(me.run / SETTINGS) or "", "STAGGER_SECONDS": "0", "LOST_SECONDS": "1"}, me.run / SETTINGS)


if __name__ == "__main__":
    main(*sys.argv[1:3])
