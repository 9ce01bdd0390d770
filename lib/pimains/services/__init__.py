"""One module per service: it reads its settings and wires devices to plans."""
