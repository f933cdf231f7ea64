"""The checks of ``scrun doctor``.

``host`` is all that looks at the machine; the other modules judge what it found, and ``table`` lists them.
"""
