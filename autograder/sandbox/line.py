"""What a box is connected by: its channel, and the pipe for what it prints."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from dataclasses import dataclass

CREDENTIALS = struct.Struct("3i")  # process, user, group


@dataclass
class Output:
    """What the box printed: the first bytes are kept for staff, the rest is only counted."""

    limit_bytes: int
    kept: bytearray
    total_bytes: int = 0

    def take(self, chunk: bytes) -> None:
        """Keep what still fits."""
        self.total_bytes += len(chunk)
        self.kept += chunk[: max(0, self.limit_bytes - len(self.kept))]


class Line:
    """The two ends of a box's channel and of the pipe for what it prints; `theirs` go to the box."""

    def __init__(self) -> None:
        self.ours, box = socket.socketpair()
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.output, output = os.pipe()
        self.theirs = [box.detach(), output]

    def close_theirs(self) -> None:
        """Close what the box has by now."""
        while self.theirs:
            os.close(self.theirs.pop())

    def close(self) -> None:
        """Close all that is open."""
        self.close_theirs()
        self.ours.close()
        os.close(self.output)

    def speaker(self, seconds: float) -> int:
        """Return the process that says the first byte, by the kernel's word for it; 0 where none comes in time."""
        self.ours.settimeout(seconds)
        with contextlib.suppress(OSError):
            # Room for the credentials alone: descriptors that came with them would be open here.
            _, ancillary, _, _ = self.ours.recvmsg(1, socket.CMSG_LEN(CREDENTIALS.size))
            for _, kind, data in ancillary:
                if kind == socket.SCM_CREDENTIALS and len(data) == CREDENTIALS.size:
                    return int(CREDENTIALS.unpack(data)[0])
        return 0
