"""What the rules service may be told."""

from pimains.core.settings import Setting, Settings, host, number, optional, path

_LONGEST_INTERVAL_SECONDS = 3600
_LONGEST_RULE_SECONDS = 60
_LONGEST_LOST_SECONDS = 86400
_HOSTS_MAX = 20


def _hosts() -> Setting[tuple[str, ...]]:
    one = host()

    def parse(value: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(value.split()))
        if len(names) > _HOSTS_MAX or any(name.startswith("-") or one.parse(name) != name for name in names):
            raise ValueError
        return names

    return Setting(parse, "list of hosts", f"such as: pc.lan 192.168.1.7, at most {_HOSTS_MAX}, or empty", may_be_empty=True)


class RulesSettings(Settings):
    """services/rules/variables/."""

    RULES = path()
    INTERVAL = number(1, _LONGEST_INTERVAL_SECONDS, "time in seconds")
    RULE_SECONDS = number(0.05, _LONGEST_RULE_SECONDS, "time in seconds")
    LOST_AFTER = number(5, _LONGEST_LOST_SECONDS, "time in seconds")
    LATITUDE = optional(number(-90, 90, "latitude in degrees"))
    LONGITUDE = optional(number(-180, 180, "longitude in degrees"))
    HOSTS = _hosts()
    RULES_FILES = path()

    only_as = "rules"  # relays has one wish for each of its relays

    def check_together(self) -> None:
        """A place on earth has both."""
        if (self.LATITUDE is None) != (self.LONGITUDE is None):
            missing, there = ("LATITUDE", "LONGITUDE") if self.LATITUDE is None else ("LONGITUDE", "LATITUDE")
            raise self.wrong(missing, f"is empty, while {there} is not: a place has both")
