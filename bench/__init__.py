"""Measurements of the whole product and of its parts, beside a peer where there is one: `python -m bench`."""
