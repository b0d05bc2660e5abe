"""What every engine of facts shares: names as codes, tables checked at the door, questions as SQL."""
