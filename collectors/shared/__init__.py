"""What several kinds of source use."""
