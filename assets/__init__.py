"""What browsers fetch. Python stands only in `build`, which no page and no running product imports."""
