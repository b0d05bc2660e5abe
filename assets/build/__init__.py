"""Remakes what is committed in `assets/` and in the `maps` folders of catalogues; see `README.md`."""
