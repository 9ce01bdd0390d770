"""What is shown and done below /v1, a module for each page."""
