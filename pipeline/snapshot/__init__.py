"""What every screen may show at one instant, worked out and published."""
