"""What each service may be told: the name, type and range of every file in its variables directory."""
