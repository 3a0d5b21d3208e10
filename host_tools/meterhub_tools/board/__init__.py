"""A board on a cable: what is on it, MicroPython and the firmware onto it, and what it says."""
