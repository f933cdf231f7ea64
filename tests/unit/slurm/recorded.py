"""What Slurm 22.05.8 said on a real cluster, word for word (job numbers and host names included)."""

GRANTED = "salloc: Granted job allocation 5\n"
REVOKED = GRANTED + "salloc: Job allocation 5 has been revoked.\n"
GIVEN_BACK = GRANTED + "salloc: Relinquishing job allocation 5\n"
NOT_GIVEN_BACK = (
    GIVEN_BACK + "salloc: error: Unable to clean up job allocation 5: "
    "Unable to contact slurm controller (connect failure)\n"
)
NO_SIGNAL = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
QUEUED = "salloc: Pending job allocation 47\nsalloc: job 47 queued and waiting for resources\n"
QUEUED_THEN_GRANTED = QUEUED + "salloc: job 47 has been allocated resources\nsalloc: Granted job allocation 47\n"
CANCELLED_WHILE_QUEUED = (
    QUEUED
    + "salloc: Job has been cancelled\n"
    + "salloc: error: Job submit/allocate failed: Job/step already completing or completed\n"
)
TERMINATED_WHILE_QUEUED = QUEUED + "salloc: Job aborted due to signal\n"
NO_PARTITION = (
    "salloc: error: invalid partition specified: nopart\n"
    "salloc: error: Job submit/allocate failed: Invalid partition name specified\n"
)
TOO_MUCH_MEMORY = (
    "salloc: error: Memory specification can not be satisfied\n"
    "salloc: error: Job submit/allocate failed: Requested node configuration is not available\n"
)
TOO_MANY_NODES = "salloc: error: Job submit/allocate failed: More processors requested than permitted\n"
NO_GRES = "salloc: error: Invalid generic resource (gres) specification\n"
NO_FEATURE = "salloc: error: Job submit/allocate failed: Invalid feature specification\n"
NO_RESERVATION = "salloc: error: Job submit/allocate failed: Requested reservation is invalid\n"
NO_LICENSE = "salloc: error: Job submit/allocate failed: Invalid license specification\n"
NO_NODE = "salloc: error: Job submit/allocate failed: Invalid node name specified\n"
BAD_TIME = "salloc: error: Invalid --time specification\n"
BAD_NUMBER = 'salloc: error: Invalid numeric value "abc" for --ntasks.\n'
UNKNOWN_OPTION = "salloc: unrecognized option '--nonsense=1'\nTry \"salloc --help\" for more information\n"
BAD_DEPENDENCY = "salloc: error: Job submit/allocate failed: Job dependency problem\n"
NO_DIRECTORY = "salloc: error: chdir(/nope): No such file or directory\n"
CONTROLLER_DOWN = "salloc: error: Job submit/allocate failed: Unable to contact slurm controller (connect failure)\n"
NO_MUNGE = (
    "salloc: error: If munged is up, restart with --num-threads=10\n"
    'salloc: error: Munge encode failed: Failed to access "/run/nope": No such file or directory '
    "(Did you start munged?)\n"
    "salloc: error: slurm_send_node_msg: auth_g_create: REQUEST_RESOURCE_ALLOCATION has authentication error\n"
    "salloc: error: Job submit/allocate failed: Protocol authentication error\n"
)
NO_SACKD = (  # 26.05
    "salloc: error: failed to connect to 'SLURM_SACK_SOCKET=/run/no-such-sack.socket'\n"
    "salloc: error: create_external: failed to create token\n"
    "salloc: error: slurm_buffers_pack_msg: auth_g_create: REQUEST_RESOURCE_ALLOCATION has authentication error\n"
    "salloc: error: Job submit/allocate failed: Protocol authentication error\n"
)
NO_CONF = (
    "salloc: error: s_p_parse_file: cannot stat file /tmp/none/slurm.conf: No such file or directory, "
    "retrying in 1sec up to 60sec\n"
)
WRONG_UID = "salloc: error: Job submit/allocate failed: Invalid user id\n"

_OPTIONS = """srun: defined options
srun: -------------------- --------------------
srun: container           : /tmp/box
srun: error               : /proc/self/fd/6
srun: export              : NONE
srun: jobid               : 5
srun: overlap             : set
srun: unbuffered          : set
srun: verbose             : 1
srun: -------------------- --------------------
srun: end of defined options
"""
_ONE_NODE = """srun: jobid 5: nodes(1):`node1', cpu counts: 1(x1)
srun: launch/slurm: launch_p_step_launch: CpuBindType=(null type)
srun: launching StepId=5.0 on host node1, 1 tasks: 0
srun: route/default: init: route default plugin loaded
"""
LAUNCHING = _OPTIONS + _ONE_NODE
RUNNING = LAUNCHING + "srun: launch/slurm: _task_start: Node node1, 1 tasks started\n"
_FINISH = "srun: launch/slurm: _task_finish: "
COMPLETED = (
    RUNNING
    + _FINISH
    + "Received task exit notification for 1 task of StepId=5.0 (status=0x0000).\n"
    + _FINISH
    + "node1: task 0: Completed\n"
)
EXITED_7 = (
    RUNNING
    + _FINISH
    + "Received task exit notification for 1 task of StepId=5.0 (status=0x0700).\n"
    + "srun: error: node1: task 0: Exited with exit code 7\n"
)
KILLED = (
    RUNNING
    + _FINISH
    + "Received task exit notification for 1 task of StepId=5.0 (status=0x0009).\n"
    + "srun: error: node1: task 0: Killed\n"
    + "srun: Force Terminated StepId=5.0\n"
)
JOB_ENDED = (
    RUNNING
    + "srun: Complete StepId=5.0+0 received\n"
    + "srun: Job step aborted: Waiting up to 4 seconds for job step to finish.\n"
    + "srun: error: Timed out waiting for job step to complete\n"
)
"""After ``scancel JOB`` and after a time limit alike; srun's own exit code is 0."""
NO_BUNDLE = (
    LAUNCHING
    + "srun: error: Task launch for StepId=5.0 failed on node node1: No such file or directory\n"
    + "srun: error: Application launch failed: No such file or directory\n"
    + "srun: Job step aborted\n"
)
EXPIRED = (
    _OPTIONS
    + "srun: error: Slurm job 5 has expired\n"
    + "srun: Check SLURM_JOB_ID environment variable. Expired or invalid job 5\n"
)
TWO_NODES_STARTING = (
    _OPTIONS
    + """srun: jobid 56: nodes(2):`node[1-2]', cpu counts: 1(x2)
srun: launch/slurm: launch_p_step_launch: CpuBindType=(null type)
srun: launching StepId=56.1 on host node1, 1 tasks: 0
srun: launching StepId=56.1 on host node2, 1 tasks: 1
srun: route/default: init: route default plugin loaded
srun: launch/slurm: _task_start: Node node1, 1 tasks started
"""
)
TWO_NODES_ONE_ENDED = (
    TWO_NODES_STARTING
    + "srun: launch/slurm: _task_start: Node node2, 1 tasks started\n"
    + "srun: launch/slurm: _task_finish: Received task exit notification for 1 task of StepId=56.1 "
    + "(status=0x0300).\n"
    + "srun: error: node1: task 0: Exited with exit code 3\n"
    + "srun: launch/slurm: _step_signal: Terminating StepId=56.1\n"
)
TWO_NODES = (
    TWO_NODES_ONE_ENDED
    + "srun: launch/slurm: _task_finish: Received task exit notification for 1 task of StepId=56.1 "
    + "(status=0x0009).\n"
)

JOB_RUNNING = "5|RUNNING|None|node1|UNLIMITED|N/A|\n"
JOB_CANCELLED = "5|CANCELLED|None|node1|UNLIMITED|N/A|\n"
JOB_COMPLETING = "5|COMPLETING|None|node1|UNLIMITED|N/A|\n"
JOB_AT_LIMIT = "5|COMPLETING|TimeLimit|node1|1:00|N/A|\n"
JOB_TIMEOUT = "5|TIMEOUT|TimeLimit|node1|1:00|N/A|\n"
JOB_PREEMPTED = "5|COMPLETING|None|node1|UNLIMITED|2026-11-24T19:04:06|\n"
JOB_UNKNOWN = "slurm_load_jobs error: Invalid job id specified\n"
