"""The sorting line over Modbus/TCP, for lines up to 8,000 parcels an hour whose PLC cannot speak WSP/1.

The PLC is the server; every 20 ms the gateway reads its block and what is new in its rings, answers, and writes its own
block. Decisions and bookings are those of the WSP/1 driver. The register map is in docs/reference/modbus.md.
"""

from devices.drivers.sorter_modbus.driver import ModbusSorter

__all__ = ["ModbusSorter"]
