"""Remembering: history (facts), live (snapshot, bus, ingest stream), state (cursors, cases, users)."""
