"""How a program that outlasts its time is ended."""

TERM_SECONDS = 2.0  # from TERM to KILL
KILL_SECONDS = 1.0  # from KILL to leaving it alone
ENDING_SECONDS = TERM_SECONDS + KILL_SECONDS
