"""What could not be staged out is noted in the container's directory: ``delete`` tries again, or says so."""

from proto.host.paths import ContainerPaths
from proto.life.creation import Creation


def note(creation: Creation, sentence: str) -> None:
    """Write the sentence down."""
    with open(ContainerPaths(creation.root, creation.id).unstaged, "w", encoding="utf-8") as file:
        file.write(sentence)
