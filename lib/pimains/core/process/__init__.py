"""Child processes: programs, and functions of our own."""
