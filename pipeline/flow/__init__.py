"""The way of figures from the channel systems into the store, and their judgement."""
