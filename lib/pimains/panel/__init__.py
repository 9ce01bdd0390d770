"""The service panel: boards with digits, LEDs and keys that show relays and step their modes."""
