"""The drives of a file server: when they come, and how a halt lets go of them."""
