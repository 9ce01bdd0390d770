"""Every way in which readings come in."""
