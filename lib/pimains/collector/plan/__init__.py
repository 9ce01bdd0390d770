"""What a collector decides."""
