"""pimains: the power of a house of Raspberry Pis, run by tiny supervised services."""

import os
import sys
import warnings

__version__ = "0.2.0"

# What the author of a library wants to tell another author (FutureWarning ...) is nothing for a log or a terminal.
# This is read first of all by each service and command: they are started with -m, which stands here while they are looked for.
if sys.argv[:1] == ["-m"] and not sys.warnoptions and os.environ.get("LOG_LEVEL", "").lower() != "debug":
    warnings.simplefilter("ignore")
