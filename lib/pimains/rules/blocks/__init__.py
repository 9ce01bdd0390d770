"""Rules made of blocks: to Python, and from what an editor has saved to the file of a rule."""
