"""What a plug service decides."""
