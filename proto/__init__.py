"""What scrun's processes say to each other: messages, life cycle, journal, errors.

Nothing here opens a socket or starts a process, and nothing here imports ``zmq`` or ``pykka``. ``actors``
and ``scrun`` import ``proto``; ``proto`` imports neither.
"""

__version__ = "0.1.0"
PROTOCOL_VERSION = 1
TAP_VERSION = 1
OCI_VERSION = "1.0.2"
