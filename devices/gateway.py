"""The gateway of one station: puts the parts together, runs them, and ends them in order."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from devices import sqlite
from devices.config import Config, DeviceConfig
from devices.courier import Asker, Errand, FetchCommands, FetchRoutes, Runner, SendEvents, SendHealth
from devices.driver import Health, State
from devices.errors import ConfigError, OutboxFull
from devices.health_page import HealthPage
from devices.link import Key, Line, Reach, ServerClock, load_key
from devices.lock import OutboxLock
from devices.outbox import Outbox
from devices.routes import RouteTable
from devices.spool import JobRefused, Spool, job_of
from devices.station import Shared, StationContext, wall_ms
from devices.store import Store
from devices.supervisor import Keeper

MONITOR_EVERY_S = 0.1
DEVICES_STOP_S = 3.0
LINK_STOP_S = 2.0
COMMANDS_REMEMBERED_MAX = 10_000
ROUTES_KEPT_EVERY_S = 60.0

log = logging.getLogger("devices")


class Gateway:
    """Made from a checked configuration. `run()` returns after `stop()`.

    Raises ConfigError if the outbox, the key, the plan file or the health port cannot be had.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.boot = secrets.token_hex(4)
        self.stopping = threading.Event()
        self.reach = Reach()
        self.routes = RouteTable()
        key = load_key(config.key_file) if config.server_url else None
        self._load_routes()
        self._lock = OutboxLock(config.outbox)
        self.store = Store(config.outbox)
        self.outbox = Outbox(self.store, wall_ms)
        self.spool = Spool(self.store, self.outbox, wall_ms)
        self._health_changed = threading.Event()
        self._commands_taken: OrderedDict[str, None] = OrderedDict()
        self._shared = Shared(self.outbox, self.spool, self.routes, self.stopping)
        self.contexts: dict[str, StationContext] = {}
        self.keepers: dict[str, Keeper] = {}
        for device in config.devices:
            if device.enabled:
                self._add(device)
        self._runners = self._link(key) if key is not None else []
        self._told: dict[str, tuple[State, str]] = {}
        self.page = HealthPage(config.health_port, self.describe)

    def run(self) -> None:
        """Work until `stop` is called, then end everything in order: devices, link, outbox."""
        if warning := sqlite.library_warning():
            log.warning("%s", warning)
        self.page.start()
        for keeper in self.keepers.values():
            keeper.start()
        for runner in self._runners:
            runner.start()
        kept_at_s = time.monotonic()
        while not self.stopping.wait(MONITOR_EVERY_S):
            self._tell_changes()
            if time.monotonic() - kept_at_s > ROUTES_KEPT_EVERY_S:
                kept_at_s = time.monotonic()
                self._keep_routes()
        self._end()

    def stop(self) -> None:
        """Ask `run` to end; may be called from a signal handler."""
        self.stopping.set()

    # --- what the server wants ----------------------------------------------------------------------------------------

    def take_command(self, command: Mapping[str, object]) -> bool:
        """Do each command id once, however often it is offered. True if it was new."""
        command_id = str(command.get("id", ""))
        if command_id in self._commands_taken:
            return False
        self._pass_on(command_id, str(command.get("device", "")), command)
        self._commands_taken[command_id] = None
        while len(self._commands_taken) > COMMANDS_REMEMBERED_MAX:
            self._commands_taken.popitem(last=False)
        return True

    def _pass_on(self, command_id: str, device: str, command: Mapping[str, object]) -> None:
        keeper = self.keepers.get(device)
        if keeper is None:
            self._refuse(command_id, device, command, "device_unknown")
        elif command.get("kind") == "print":
            self._print(command_id, device, command)
        elif self._prints(device) or not keeper.submit(command):
            self._refuse(command_id, device, command, "command_unsuitable")

    def _print(self, command_id: str, device: str, command: Mapping[str, object]) -> None:
        if not self._prints(device):
            self._refuse(command_id, device, command, "command_unsuitable")
            return
        try:
            self.spool.take(job_of(command))
        except JobRefused as refusal:
            log.warning("print command %s refused: %s", command_id, refusal)
            self._refuse(command_id, device, command, refusal.reason)

    def _refuse(self, command_id: str, device: str, command: Mapping[str, object], reason: str) -> None:
        """A job that can be named has failed; any other command is refused by its id."""
        facts = command.get("facts")
        job = facts.get("job") if command.get("kind") == "print" and isinstance(facts, Mapping) else None
        if job:
            told = {"job": str(job), "state": "failed", "printer": device, "reason": reason}
            self.outbox.add(device, "print", told)
        else:
            self.outbox.add(device, "command", {"id": command_id, "result": "refused", "reason": reason})

    def _prints(self, device: str) -> bool:
        return any(entry.name == device and getattr(entry.make, "prints", False) for entry in self.config.devices)

    # --- how it stands ------------------------------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """All that `/health` shows."""
        snapshot = self.routes.current
        return {
            "gateway": self.config.name,
            "boot": self.boot,
            "now_ms": wall_ms(),
            "server": {
                "url": self.config.server_url,
                "reachable": self.reach.reachable,
                "trouble": self.reach.trouble if self.config.server_url else "",
            },
            "outbox": {
                "last_seq": self.outbox.last_seq(),
                "waiting": self.outbox.waiting(),
                "commits": self.store.commits,
                "trouble": self.store.trouble,
            },
            "routes": {"version": snapshot.version, "codes": len(snapshot)},
            "devices": self.describe_devices(),
        }

    def describe_devices(self) -> list[dict[str, object]]:
        """One object per device, as the server gets them, with the latest `live` figures beside."""
        described = []
        for device in self.config.devices:
            keeper = self.keepers.get(device.name)
            health = keeper.health() if keeper is not None else Health(State.DISABLED)
            entry: dict[str, object] = {
                "name": device.name,
                "driver": device.driver,
                "state": health.state.value,
                "reason": health.reason,
                "since_ms": health.since_ms,
                "counters": dict(health.counters),
            }
            if keeper is not None and (live := self.contexts[device.name].live):
                entry["live"] = dict(live)
            described.append(entry)
        return described

    def _tell_changes(self) -> None:
        """A device that changed its state is an event; a disk that is full puts it off, it is not lost."""
        for name, keeper in self.keepers.items():
            health = keeper.health()
            # What a degraded printer lacks matters; the wording of why a port is away changes with every try.
            shown = (health.state, health.reason if health.state is State.DEGRADED else "")
            if self._told.get(name) == shown:
                continue
            facts = {"state": health.state.value, "reason": health.reason, "since_ms": health.since_ms}
            try:
                self.outbox.add(name, "device", facts)
            except OutboxFull:
                continue
            self._told[name] = shown
            level = logging.WARNING if health.state is State.DOWN else logging.INFO
            log.log(level, "device %s is %s %s", name, health.state.value, health.reason)
            self._health_changed.set()

    # --- putting together and taking apart ----------------------------------------------------------------------------

    def _add(self, device: DeviceConfig) -> None:
        context = StationContext(device, self._shared)
        self.contexts[device.name] = context
        make: Callable[[], Any] = lambda: device.make(context)  # noqa: E731  # bound here, made on the device's thread
        self.keepers[device.name] = Keeper(device.name, device.driver, make, self.stopping, wall_ms)

    def _link(self, key: Key) -> list[Runner]:
        clock, reach = ServerClock(), self.reach

        def line() -> Line:
            return Line(self.config.server_url, key, clock, self.config.ca_file)

        asker = Asker(line(), reach)
        self._shared.ask = asker.ask
        self._shared.reachable = lambda: reach.reachable
        errands: list[Errand] = [
            SendEvents(line(), reach, self.outbox, self.boot),
            FetchCommands(line(), reach, self.take_command, self.stopping),
            SendHealth(line(), reach, self.describe_devices, self._health_changed),
        ]
        if any(getattr(device.make, "uses_routes", False) for device in self.config.devices):
            errands.append(FetchRoutes(line(), reach, _TableFromServer(self.routes)))
            errands.append(asker)
        return [Runner(errand, reach, self.stopping) for errand in errands]

    def _load_routes(self) -> None:
        if self.config.routes_file is not None:
            self.routes.load_plan(self.config.routes_file, self.config.routes_overflow)
        elif self.config.server_url:
            self._restore_routes()

    def _restore_routes(self) -> None:
        try:
            self.routes.restore(self.config.routes_kept, wall_ms(), time.monotonic())
        except (OSError, ValueError, KeyError) as error:
            log.warning("the kept routing table cannot be used, waiting for the server's: %s", error)

    def _keep_routes(self) -> None:
        if not self.config.server_url or self.routes.current.version == 0:
            return
        try:
            self.routes.save(self.config.routes_kept, wall_ms(), time.monotonic())
        except OSError as error:
            log.warning("the routing table cannot be kept at %s: %s", self.config.routes_kept, error)

    def _end(self) -> None:
        self.spool.wake()
        end_s = time.monotonic() + DEVICES_STOP_S
        for name, keeper in self.keepers.items():
            if not keeper.join(max(0.0, end_s - time.monotonic())):
                log.warning("device %s did not end in %s s", name, DEVICES_STOP_S)
        for runner in self._runners:
            runner.stop(LINK_STOP_S)
        self._keep_routes()
        self.page.stop()
        self.store.close()
        self._lock.release()


class _TableFromServer:
    """The routing table as the link sees it."""

    def __init__(self, routes: RouteTable) -> None:
        self._routes = routes

    def version(self) -> int:
        return self._routes.current.version

    def apply(self, body: Mapping[str, object]) -> None:
        self._routes.apply(body, time.monotonic())


def open_gateway(config: Config) -> Gateway:
    """Make the gateway. Raises ConfigError with one clear line for whatever it cannot have."""
    try:
        config.outbox.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"folder {config.outbox.parent} cannot be made: {error.strerror}") from error
    return Gateway(config)
