"""The create_service command: makes, changes, lists and removes instances."""
