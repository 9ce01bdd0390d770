"""The service collector: readings come in, are kept, and are drawn."""
