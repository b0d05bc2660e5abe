"""Observations laid out by measure, region and interval, as rules see them."""
