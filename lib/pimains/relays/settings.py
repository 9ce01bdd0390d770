"""What the relays service may be told; what each relay may be told is in relay_settings.py."""

from pimains.shared.relays.guard_settings import GuardSettings


class RelaysSettings(GuardSettings):
    """services/relays/variables/."""

    only_as = "relays"  # its files, which rules, people and the halt step use, are those of that name
