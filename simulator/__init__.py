"""A believable nation that impersonates the channel systems over their real protocols."""
