"""python3 -m pimains.cli, which /usr/bin/pimains runs."""

import sys

from pimains.cli.main import main

sys.exit(main())
