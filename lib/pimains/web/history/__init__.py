"""A collector's journal as web looks back into it."""
