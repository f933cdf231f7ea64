"""``scrun features``: what scrun itself can do; what a node's runtime can do is not known here, so it is absent."""

import json

from actors.oci.hook_config import HERE
from proto import OCI_VERSION, __version__
from scrun.cli.parsing import Line
from scrun.report.lines import show

FEATURES = {
    "ociVersionMin": "1.0.0",
    "ociVersionMax": OCI_VERSION,
    # Only those that scrun runs itself, here (scrun.hooks). createContainer and startContainer are passed on to the
    # node, whose runtime may know them or not.
    "hooks": list(HERE),
    "annotations": {"scrun.version": __version__},
    # Prefix of the annotations that choose partition, account, and so on.
    "potentiallyUnsafeConfigAnnotations": ["scrun."],
}


def run(line: Line) -> int:  # noqa: ARG001 - every verb has the same signature
    """Print the features."""
    show(json.dumps(FEATURES, indent=2) + "\n")
    return 0
