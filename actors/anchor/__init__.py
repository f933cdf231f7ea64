"""The anchor: holds what must outlive an actor, and decides nothing about containers."""
