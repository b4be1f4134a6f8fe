"""On which wire a simulated Modbus machine is asked: TCP, or RTU on a pseudo-terminal."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from devices.simulators.modbus_rtu import ModbusRtuServer
from devices.simulators.modbus_server import ModbusEnd, ModbusServer, Registers


def add_wire(parser: argparse.ArgumentParser) -> None:
    """`--tcp PORT`, or `--port PATH` and `--baud`."""
    wires = parser.add_mutually_exclusive_group()
    wires.add_argument("--tcp", type=int, default=0, metavar="PORT", help="listen there (0: any free port)")
    wires.add_argument("--port", type=Path, metavar="PATH", help="symlink to a pseudo-terminal, for Modbus RTU")
    parser.add_argument("--baud", type=int, default=115_200, help="speed of the serial line")


def listening(wish: argparse.Namespace) -> Callable[[Registers], ModbusEnd]:
    """The server that was asked for, to be given the machine's registers."""
    if wish.port is not None:
        return lambda registers: ModbusRtuServer(registers, wish.port, baud=wish.baud)
    return lambda registers: ModbusServer(registers, wish.tcp)
