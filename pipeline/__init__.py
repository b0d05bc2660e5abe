"""What flows: sources are asked, what came is stored and judged, and the snapshot is made."""
