"""The wheel: the turn, the only scheduler, and the command line."""
