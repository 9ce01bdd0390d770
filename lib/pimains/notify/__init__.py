"""The service notify: tells people."""
