"""What is shown to browsers and to programs."""
