"""The container's standard streams and its terminal."""
