"""What the words and numbers of a UPS mean."""
