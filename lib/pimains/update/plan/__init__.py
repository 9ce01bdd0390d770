"""What an update decides."""
