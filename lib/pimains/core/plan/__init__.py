"""What is decided or said in the same way everywhere."""
