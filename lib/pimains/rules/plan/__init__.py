"""What a rule is given, and what its answer is."""
