"""What every service stands on: settings, state, ledger, clock, notifications, the halt request, the runner."""
