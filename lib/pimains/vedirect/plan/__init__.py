"""What is decided about the bytes of a VE.Direct port."""
