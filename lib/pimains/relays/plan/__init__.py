"""What relays decides: who may switch which contact when, and why not yet."""
