"""One module for each verb: ``run(line) -> exit status``."""
