"""One file a version, in order of number; a version that was released is never edited."""
