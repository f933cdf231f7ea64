"""Start of the command ``scrun``: ``python -IS ROOT/scrun/__main__.py ARGS``. Never cached, hence short."""

import gc
import os
import sys

# A call lives for milliseconds; the anchor turns it on again before it settles down.
gc.disable()

# -I keeps the script's directory off sys.path; the folder that holds proto, actors and scrun goes there.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from scrun.main import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    # Nothing is buffered and nothing is left to tidy up: skipping the interpreter's own end saves a millisecond.
    os._exit(main(sys.argv[1:]))
