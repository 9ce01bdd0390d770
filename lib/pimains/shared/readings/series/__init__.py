"""What the journal says of a source: counts, rises, averages."""
