"""What two rooms decide by the same rule."""
