"""The interface for other systems: what the windows show and what questions answer, for programs, below `/api/v1/`."""
