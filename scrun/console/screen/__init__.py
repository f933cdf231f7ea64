"""The screen, ``scrun console --top``: all containers, and one of them, drawn with textual.

What a container says on its tap comes to a ``Card``; what is drawn of it is made when its row is seen. What the screen
does to a container the console's commands do, each in a process of its own.
"""
