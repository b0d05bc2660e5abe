"""The windows: one module each, found by `dashboards/registry.py`."""
