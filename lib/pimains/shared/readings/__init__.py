"""The journal of readings, a meter's and a collector's."""
