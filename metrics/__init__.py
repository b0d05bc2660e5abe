"""What numbers mean: pure functions and nouns; no clock, no input or output, no Dash."""
