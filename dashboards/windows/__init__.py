"""The windows: one module each, found by `dashboards/site/registry.py`."""
