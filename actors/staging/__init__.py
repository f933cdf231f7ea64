"""Brings a container to the node and its changes back: scrun.lua, or the built-in stager without one."""
