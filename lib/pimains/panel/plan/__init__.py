"""What the panel decides: what is shown where, and what keys do. No I/O, no clock."""
