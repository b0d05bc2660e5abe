"""Who asks: the gate in front of the site, and the pages for signing in."""
