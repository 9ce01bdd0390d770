"""What a file server and its clients say to each other, and how."""
