"""What fserver, fclient and `pimains backup` know of each other."""
