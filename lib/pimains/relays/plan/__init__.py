"""What a contact does while no service runs."""
