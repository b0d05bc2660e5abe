"""The channel systems that the simulated nation impersonates, one module a protocol."""
