"""Boundaries become maps: projected, simplified with their borders kept, and written as the integers that pages draw.

GeoPandas and what it stands on live here and nowhere else. Start reading at `build.py`.
"""
