"""What decides: rules that people write, or make of blocks, and what each of them is given."""
