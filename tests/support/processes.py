"""How tests start processes that must not outlive them."""

DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Before a command: the kernel ends it when the process that started it dies, however that dies."""
