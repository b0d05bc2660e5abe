"""Asking: questions about figures and their answers."""
