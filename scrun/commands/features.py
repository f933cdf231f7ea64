"""``scrun features``: what scrun itself can do; what a node's runtime can do is not known here, so it is absent."""

import json

from proto import OCI_VERSION, __version__
from scrun import diagnostics
from scrun.parsing import Line

FEATURES = {
    "ociVersionMin": "1.0.0",
    "ociVersionMax": OCI_VERSION,
    # Those of the runtime namespace, which is this host; the others belong to the node.
    "hooks": ["prestart", "createRuntime", "poststart", "poststop"],
    "annotations": {"scrun.version": __version__},
    # Prefix of the annotations that choose partition, account, and so on.
    "potentiallyUnsafeConfigAnnotations": ["scrun."],
}


def run(line: Line) -> int:  # noqa: ARG001 - every verb has the same signature
    """Print the features."""
    diagnostics.write(1, json.dumps(FEATURES, indent=2) + "\n")
    return 0
