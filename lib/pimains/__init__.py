"""pimains: the power of a house of Raspberry Pis, run by tiny supervised services."""

__version__ = "0.2.0"
