"""``python -m astroclip_kit VERB``, which torchrun can start."""

import sys

from .cli import main

sys.exit(main())
