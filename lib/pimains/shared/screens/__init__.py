"""The lines that a file server and its clients show on screens."""
