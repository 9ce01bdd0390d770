"""Errors, split by who has to handle them."""


class PimainsError(Exception):
    """Anything pimains itself raises; the text is one line for a person."""


class WrongSetting(PimainsError):
    """A file in variables/ has to be edited: nothing else helps, least of all trying again."""


class Away(PimainsError):
    """A device or a network is not there now; trying again later may help."""


class Misused(PimainsError):
    """A command was asked for something that it cannot do; nothing was done."""


class Refused(PimainsError):
    """The other side will never take this one: trying it again is of no use."""
