"""What talks: one file per protocol or kind of hardware."""
