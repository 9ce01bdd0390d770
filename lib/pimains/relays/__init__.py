"""The room of the service relays: contacts that people and rules switch, and that nothing wears out."""
