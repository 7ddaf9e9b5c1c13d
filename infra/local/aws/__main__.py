"""`python -m infra.local.aws`: see infra.local.aws.server."""

import sys

from infra.local.aws.server import main

sys.exit(main())
