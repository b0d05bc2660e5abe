"""`python -m pipeline`: run, backfill, query, audit, sources."""

import sys

from pipeline.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
