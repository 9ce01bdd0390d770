"""The service meter: counts pulses, keeps them, delivers them."""
