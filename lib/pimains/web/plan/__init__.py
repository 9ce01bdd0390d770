"""What the page decides, without I/O and clocks."""
