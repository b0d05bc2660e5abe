"""How often Python looks for cycles among its objects.

Unless told, it looks after every 700 new containers and now and then at all that live: a minute of a nation makes
hundreds of thousands that have no cycles, and a tenth of the time went there.
"""

import gc

EVERY, OLDER, OLDEST = 50_000, 20, 50


def look_rarely() -> None:
    """Call it once, when the process starts."""
    gc.set_threshold(EVERY, OLDER, OLDEST)
