"""The service plug: a machine that its smart plug powers."""
