"""What was pushed, on disk until it is stored."""
