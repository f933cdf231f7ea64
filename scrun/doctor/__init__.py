"""The checks of ``scrun doctor``.

``host`` is all that looks at the machine; the other modules judge what it found, and ``table`` lists them. ``visits``
goes to nodes: ``cluster`` says to which, ``node_facts`` and ``rehearsal`` what is done there and what it means.
"""
