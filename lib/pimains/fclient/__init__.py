"""The service fclient: a client of a file server."""
