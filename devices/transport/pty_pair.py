"""A pseudo-terminal made by us: simulators are its machine end, the gateway opens the other like any serial port."""

from __future__ import annotations

import contextlib
import os
import tty
from pathlib import Path

from devices.errors import DeviceAbsent
from devices.transport.address import Address
from devices.transport.base import DescriptorWire


class PtyPair(DescriptorWire):
    """`port_path` is what the gateway opens; with a path in the URL, a symlink there that comes and goes with the pair.

    Our own handle on the gateway's end stays open, so the gateway may come and go without our end seeing a hang-up;
    `close` takes both away, which the gateway sees as an unplugged cable.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(address.url)
        self._link = Path(address.path) if address.path else None
        self._far: int | None = None
        self.port_path = address.path

    def open(self) -> None:
        self.close()
        try:
            near, far = os.openpty()
            tty.setraw(far)
            os.set_blocking(near, False)
            device = os.ttyname(far)
        except (OSError, AttributeError) as error:
            raise DeviceAbsent(f"no pseudo-terminal to be had: {error}") from error
        self._descriptor, self._far = near, far
        self._opened += 1
        self.port_path = device
        if self._link is not None:
            self._place_link(self._link, device)
            self.port_path = str(self._link)

    def close(self) -> None:
        near, far = self._descriptor, self._far
        self._descriptor = self._far = None
        if near is None or far is None:
            return
        if self._link is not None and self._link.is_symlink():
            self._link.unlink(missing_ok=True)
        for descriptor in (far, near):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    @staticmethod
    def _place_link(link: Path, device: str) -> None:
        """Rename over the old link, so that nobody ever finds half a link."""
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(device)
        fresh.replace(link)
