"""What relays is told and what its guards decide, for all who tell it or look ahead: relays, rules, panel."""
