"""What another program recorded: `pimains energy import`."""
