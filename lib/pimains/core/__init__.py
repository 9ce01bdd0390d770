"""What every service stands on: runner, settings, state files, ledger, clock, child processes. Knows no function of the house."""
