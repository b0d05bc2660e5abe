"""One question, one answer: the same rows on screen, in exports, by command and by interface."""
