"""Devices as their vendors describe them for containers: the Container Device Interface, SPEC.md of cncf-tags."""
