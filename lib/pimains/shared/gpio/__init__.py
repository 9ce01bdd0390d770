"""GPIO pins: the kernel's lines and gpiozero's pin factories, for those who listen and those who switch."""
