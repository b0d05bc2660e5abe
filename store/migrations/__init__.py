"""Versions of the state's tables, up and down; run by `store/state/opening.py` at every start."""
