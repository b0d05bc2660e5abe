"""Showing: the shell, the windows, the words and the push of live frames."""
