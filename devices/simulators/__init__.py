"""A twin for every machine, to be started as a process of its own: `wms-devices simulate ...`."""
