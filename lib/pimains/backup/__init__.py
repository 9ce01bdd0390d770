"""`pimains backup`: what is backed up, where to, and back again; fserver and fclient start it as a child."""
