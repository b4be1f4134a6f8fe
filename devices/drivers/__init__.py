"""One file per kind of machine; `devices.driver` says what a driver is."""
