"""The console: one file for each command, with its help and its client half; ``table`` has all of them.

What the state actor has to answer is in a file of the same name in ``actors/state/inspection``.
"""
