"""Running: what a process is made of, in which order it starts, and the command line."""
