"""`./watchfloor`: run, backfill, query, audit, sources."""

import sys

from service.commands.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
