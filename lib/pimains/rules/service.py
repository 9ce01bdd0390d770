"""The service rules: services/rules/README.md says what it is for, this how it goes about it.

deciding.py has which rule is asked when, child.py the process that answers, plan/given.py what a rule is given, and wishes.py how relays
hears of it. What is told of each rule is in told.py.
"""

from pimains.core.errors import WrongSetting
from pimains.core.service import Instance, Naps, run, within
from pimains.rules.deciding import Deciding
from pimains.rules.plan.calendar import SunOf
from pimains.rules.settings import RulesSettings


def decide(me: Instance, settings: RulesSettings) -> Naps:
    """Ask rules, whenever something is new for them, until told to stop."""
    deciding = Deciding(me, settings, _sun_of(me, settings))
    try:
        while True:
            deciding.look()
            yield within(deciding.seconds_to_wait(), *deciding.files())
    finally:
        deciding.close()


def _sun_of(me: Instance, settings: RulesSettings) -> SunOf | None:
    """Raises WrongSetting."""
    if settings.LATITUDE is None or settings.LONGITUDE is None:
        return None
    try:
        from pimains.rules.sun import SunAt  # two megabytes
    except ModuleNotFoundError:
        how = f"apt install python3-ephem, then svc -t {me.directory}; or leave LATITUDE and LONGITUDE empty"
        raise WrongSetting(f"the Python module ephem is missing: {how}") from None
    return SunAt(settings.LATITUDE, settings.LONGITUDE)


if __name__ == "__main__":
    run(decide, RulesSettings)
