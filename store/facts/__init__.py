"""Facts: what was observed, with its past.

`history.py` is what every store of facts can do, and `opening.py` which of them an installation has. Each engine is a
folder, `duck`, `postgres` and `clickhouse`; what they do alike is in `shared`. `tiers` is a store over three others,
which keep the same facts by larger buckets of time.
"""
