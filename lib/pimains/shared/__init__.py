"""What two rooms have agreed on: files, FIFOs, wire formats; both ends of a conversation in one file or folder."""
