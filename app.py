"""Watchfloor as a process: settings decide which role it plays (`service/roles.py`)."""

import sys

from service.roles import main

if __name__ == "__main__":
    sys.exit(main())
