"""``scrun why``: one paragraph about a container that waits, has failed or has ended, with what to do."""

import os
import textwrap
import time

from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.packages import use_packages
from scrun.report.lines import one_line, show


def run(line: Line) -> int:
    """Print the paragraph: as one line, but for a terminal in lines of its width."""
    use_packages()
    from scrun.why import case, inquiry, paragraph

    root = root_of(line)
    found, creation = case.look_up(root, line.id)
    outlook, silent = None, False
    if creation is not None and found.phase in paragraph.ASKED:
        asked = inquiry.begin(root, creation, found.job_id)
        if asked is not None:
            try:
                asked.wait()
            finally:
                outlook = asked.close()
            silent = asked.silent
    by = None
    if creation is not None and paragraph.is_cancelled(found):
        by = inquiry.canceller(root, creation, found.job_id)
    text = one_line(paragraph.paragraph(found, time.time(), outlook, silent=silent, by=by))
    if os.isatty(1):
        text = textwrap.fill(text, max(20, os.get_terminal_size(1).columns - 1), break_long_words=False)
    show(f"{text}\n")
    return 0
