"""From what rules saw to findings."""
