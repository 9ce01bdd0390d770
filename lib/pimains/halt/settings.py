"""What the halt service may be told."""

import os
import shutil

from pimains.core.settings import Settings, command, number

_SYSTEM = ("/usr/sbin", "/sbin")  # not in the PATH of everybody who runs create_service


class HaltSettings(Settings):
    """services/halt/variables/."""

    only_as = "halt"

    HALT_COMMAND = command()
    HALT_GRACE_SECONDS = number(0, 3600, "time in seconds")
    STEP_SECONDS_MAX = number(1, 3600, "time in seconds")
    UPGRADE_SECONDS_MAX = number(1, 3600, "time in seconds")

    def not_here(self) -> str:
        """A halt whose program is missing is better known of before the battery is low."""
        program = self.HALT_COMMAND[0]
        if shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM])):
            return ""
        return f"{self.directory / 'HALT_COMMAND'}: there is no program {program!r} (one that is there, such as /sbin/shutdown -P now)"
