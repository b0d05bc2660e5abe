"""The last hours of every source in memory, added up by place."""
