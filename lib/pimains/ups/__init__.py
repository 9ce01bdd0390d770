"""The service ups: what a UPS says through NUT, and what this machine does about it."""
