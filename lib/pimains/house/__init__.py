"""A simulated house: programs that speak the real protocols over the real wires."""
