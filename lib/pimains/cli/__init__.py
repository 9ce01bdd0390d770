"""The pimains command, one module per verb."""
