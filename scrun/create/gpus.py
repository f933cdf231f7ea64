"""GPUs that an engine's user asks for, as options of the job."""

from collections.abc import Callable, Mapping
from typing import Any

from actors.oci.cdi.files import host_registry
from actors.oci.gpu_request import gpu_request
from actors.slurm.gpus import with_request


def defaults(
    config: dict[str, Any],
    options: Callable[[Mapping[str, str]], dict[str, str]],
    site: Mapping[str, str],
    *,
    foreign: bool,
) -> Mapping[str, str]:
    """Defaults of the job's options: the site's, and before these what of GPUs the engine's user asks for.

    Args:
        config: the engine's config.json.
        options: gives the job's options for such defaults.
        site: those of scrun.toml.
        foreign: the allocation is there already.

    """
    request = gpu_request(config, host_registry().devices).count
    return with_request(request, options({}), site, foreign=foreign) if request else site
