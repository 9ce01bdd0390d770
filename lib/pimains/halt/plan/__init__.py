"""What a halt decides."""
