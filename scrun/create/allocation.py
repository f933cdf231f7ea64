"""The allocation that a user names: is it theirs, does it run, has it what the container asks for?

srun says so when the container is started, and of a heterogeneous allocation it says nothing of use.
"""

from actors.slurm import existing, scheduler_for
from proto.errors import SettingsError
from proto.life.creation import Creation
from proto.value import replace


def join(creation: Creation) -> Creation:
    """Return the creation as it shall run there: in which part, if there are several.

    A controller that does not answer refuses nothing.

    Raises:
        SettingsError: the container cannot run there, or there is no allocation, and a part of one is named.

    """
    job = creation.settings.job
    if not creation.job_id:
        if "het-group" in job:
            raise SettingsError(
                "scrun.het-group names a part of an allocation that is there (scrun.jobid), and this container has "
                "a job of its own"
            )
        return creation
    query = scheduler_for(creation).existing(creation.job_id)
    if query is None:
        return creation
    from scrun.why.inquiry import Inquiry

    asked = Inquiry(query)
    asked.wait()
    parts = asked.close()
    if parts is None:
        return creation
    if sentence := existing.objection(parts, creation.job_id, job):
        raise SettingsError(sentence)
    if not existing.is_heterogeneous(parts, creation.job_id):
        return creation
    return replace(creation, settings=replace(creation.settings, job={"het-group": "0", **job}))
