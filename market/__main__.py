"""`python -m market`: the command line."""

import sys

from market.cli import main

if __name__ == "__main__":
    sys.exit(main())
