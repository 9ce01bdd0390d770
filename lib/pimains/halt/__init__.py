"""The service halt: the only one that shuts this machine down."""
