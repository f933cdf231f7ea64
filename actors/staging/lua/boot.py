"""What a Lua runtime is told before it sees scrun.lua: the table ``slurm``, the module ``json``, what is taken away.

Scripts never touch an object of Python: every function of Python is inside a Lua function, gets strings and numbers
and returns whether it succeeded, then its results.
"""

from actors.programs import program

SOURCE = program("boot.lua")
