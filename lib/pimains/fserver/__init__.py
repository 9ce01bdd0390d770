"""The service fserver: a file server and its drives."""
