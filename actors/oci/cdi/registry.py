"""All CDI devices of one host, of several files, in directories of which a later one counts more."""

from collections import Counter
from collections.abc import Collection, Iterable

from proto.errors import StagingError
from proto.value import Value

from .specification import Device, read


class Registry(Value):
    """What a host has.

    Attributes:
        devices: all that can be had, each name once.
        faults: one sentence for each file that cannot be read, and each device that two files of a directory have.

    """

    devices: tuple[Device, ...] = ()
    faults: tuple[str, ...] = ()

    def with_files(self, files: Collection[str]) -> Device | None:
        """The device with all of these files and the fewest others: a GPU has one, a part of a GPU some more.

        So neither a device that stands for ``all`` nor the whole GPU is taken for a part of it.
        """
        fit = [device for device in self.devices if files and device.files >= set(files)]
        return min(fit, key=lambda device: len(device.files), default=None)

    def named(self, name: str) -> Device | None:
        """The device of that name; of several kinds, the first one that is a GPU."""
        fit = [device for device in self.devices if device.name == name]
        return min(fit, key=lambda device: "gpu" not in device.kind.partition("/")[2], default=None)


def register(directories: Iterable[Iterable[tuple[str, bytes]]]) -> Registry:
    """Put together what the files say.

    Args:
        directories: path and text of each file, by directory, the one that counts more last.

    """
    found: dict[str, Device] = {}
    faults: list[str] = []
    for files in directories:
        here: list[tuple[Device, str]] = []
        for path, text in files:
            try:
                here += [(device, path) for device in read(text, path)]
            except StagingError as error:
                faults.append(error.sentence)
        counts = Counter(device.qualified for device, _ in here)
        for name, count in counts.items():
            if count > 1:
                paths = " and ".join(path for device, path in here if device.qualified == name)
                faults.append(f"device {name} is in {paths}, and cannot be had")
        for device, _ in here:
            found.pop(device.qualified, None)
            if counts[device.qualified] == 1:
                found[device.qualified] = device
    return Registry(tuple(found.values()), tuple(faults))
