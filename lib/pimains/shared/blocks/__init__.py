"""Rules made of blocks: the closed set of blocks, what a saved workspace is, and how one is saved."""
