"""The variables of a container's config.json, and what its program is told of the job besides."""

from typing import Any

from actors.slurm.job_environment import JobFacts, program_environment
from actors.slurm.step_options import has_one_task
from proto.life.creation import Creation


def with_job(config: dict[str, Any], creation: Creation, job: JobFacts) -> dict[str, Any]:
    """A config.json whose program is told of its job; see ``program_environment``."""
    process = config.get("process")
    if not process:
        return config
    own = process.get("env") or ()
    env = program_environment(job, own, creation.id, alone=has_one_task(creation.settings.job))
    return {**config, "process": {**process, "env": list(env)}}
