"""The module ``json`` of scrun.lua, in Lua: it comes with scrun, so a script needs no package for it.

What goes through ``decode`` and ``encode`` unchanged comes out as it was, which config.json needs and simple
modules miss: ``{}`` and ``[]`` stay different, ``null`` is kept although the key is absent for the script,
integers stay integers and those beyond 64 bits keep their digits, and strings keep bytes that are no UTF-8.
"""

from actors.programs import program

# A metatable remembers what a Lua table cannot say by itself: whether it is an array, and which keys were null.
SOURCE = program("json.lua")
