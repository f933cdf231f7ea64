"""A root file system of shared trees with the container's changes on its node: nothing is copied at a start."""
