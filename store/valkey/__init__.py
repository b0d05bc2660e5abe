"""Valkey: its addresses, what its answers are worth, the live snapshot and the lease."""
