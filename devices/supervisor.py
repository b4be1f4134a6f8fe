"""One thread per device: a driver that fails is shown with its reason and tried again; the others go on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from devices.driver import Driver, Health, State
from devices.errors import ConfigError, DeviceAbsent, DeviceError, GatewayError

BACKOFF_S = (0.1, 5.0)
# An unplugged cable costs nothing to look for, and a person who plugs it in waits: so look often.
ABSENT_PAUSE_S = 0.8
MISSES_BEFORE_DOWN = 3
# A run that lasted this long was a working device, not one more miss.
WORKED_S = 2.0

log = logging.getLogger("devices")


class Stopper(Protocol):
    """The part of threading.Event a keeper needs."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class Keeper:
    """Keeps one driver running. `health()` is what a person is told: the driver's word, and ours when it has fallen."""

    def __init__(
        self, name: str, kind: str, make: Callable[[], Driver], stopping: Stopper, now_ms: Callable[[], int]
    ) -> None:
        self.name = name
        self.kind = kind
        self._make = make
        self._stopping = stopping
        self._now_ms = now_ms
        self._driver: Driver | None = None
        self._running = False
        self._misses = 0
        self._restarts = 0
        self._fault = ""
        self._for_good = False
        self._shown = (State.CONNECTING, "")
        self._since_ms = now_ms()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=f"device {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """True if the driver has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def submit(self, command: Mapping[str, object]) -> bool:
        """Hand a command to the driver; False if there is none."""
        driver = self._driver
        if driver is None:
            return False
        driver.submit(command)
        return True

    def health(self) -> Health:
        """State, reason and since when; `restarts` is added to the driver's counters."""
        driver = self._driver
        inner = driver.health() if driver is not None else Health(State.CONNECTING)
        state, reason = inner.state, inner.reason
        if self._running and state in (State.READY, State.DEGRADED):
            self._fault = ""
        if not self._running or (self._fault and state is State.CONNECTING):
            state, reason = (State.DOWN if self._is_down() else State.CONNECTING), self._fault
        with self._lock:
            if (state, reason) != self._shown:
                self._shown, self._since_ms = (state, reason), self._now_ms()
            return Health(state, reason, self._since_ms, {**inner.counters, "restarts": self._restarts})

    def _is_down(self) -> bool:
        return self._for_good or self._misses >= MISSES_BEFORE_DOWN

    def _keep(self) -> None:
        driver = self._made()
        if driver is None:
            return
        self._driver = driver
        first_s, longest_s = getattr(type(driver), "backoff_s", BACKOFF_S)
        pause_s = first_s
        while not self._stopping.is_set():
            absent, lasted_s = self._run_once(driver)
            if self._stopping.is_set():
                return
            worked = lasted_s >= WORKED_S
            self._misses = 1 if worked else self._misses + 1
            pause_s = first_s if worked else min(longest_s, pause_s * 2)
            self._restarts += 1
            self._stopping.wait(min(pause_s, ABSENT_PAUSE_S) if absent else pause_s)

    def _made(self) -> Driver | None:
        try:
            return self._make()
        except ConfigError as error:
            self._fault = f"config: {error}"
        except Exception as error:  # a driver may be a stranger's; its bug must not stop the station
            log.exception("driver %s of %s could not be made", self.kind, self.name)
            self._fault = f"driver_bug: {type(error).__name__}: {error}"
        self._for_good = True
        return None

    def _run_once(self, driver: Driver) -> tuple[bool, float]:
        """Run until the driver falls. Whether its wire was not there at all, and the seconds it ran."""
        begun_s = time.monotonic()
        absent = False
        self._running = True
        try:
            driver.run()
            self._fault = "ended: the driver returned without a fault"
        except DeviceError as error:
            absent = isinstance(error, DeviceAbsent)
            self._fault = f"{'absent' if absent else 'lost'}: {error}"
        except GatewayError as error:
            self._fault = f"outbox: {error}"
        except Exception as error:  # as above: shown, logged with its trace, tried again
            log.exception("driver %s of %s fell", self.kind, self.name)
            self._fault = f"driver_bug: {type(error).__name__}: {error}"
        finally:
            self._running = False
        return absent, time.monotonic() - begun_s
