from __future__ import annotations

from pathlib import Path

import pytest

from devices.config import Config, ConfigErrors, load_config

SCANNER = '[[device]]\nname = "scanner1"\ndriver = "scanner_serial"\nurl = "serial:///dev/ttyUSB0?baud=9600"\n'


def load(folder: Path, text: str) -> Config:
    path = folder / "station.toml"
    path.write_text(text)
    return load_config(path)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as errors:
        load(folder, text)
    return errors.value.lines


def test_a_station_needs_no_more_than_its_devices(tmp_path: Path) -> None:
    config = load(tmp_path, SCANNER)
    assert (config.name, config.server_url, config.outbox) == ("station", "", tmp_path / "station.db")
    assert [device.name for device in config.devices] == ["scanner1"]


def test_paths_are_relative_to_the_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, '[outbox]\npath = "data/x.db"\n[routes]\nfile = "plan.csv"\n' + SCANNER)
    assert (config.outbox, config.routes_file) == (tmp_path / "data/x.db", tmp_path / "plan.csv")
    assert config.key_file == tmp_path / "data/x.db.key"


def test_every_mistake_is_named_on_a_line_of_its_own(tmp_path: Path) -> None:
    lines = mistakes(
        tmp_path,
        """
[servers]
[server]
url = "wms.example.com"
[health]
port = 70000
[[device]]
name = "a b"
driver = "scale"
url = "serial:///dev/ttyUSB0"
[[device]]
name = "scale1"
driver = "sacle"
url = "serial:///dev/ttyUSB0"
[[device]]
name = "scale2"
driver = "scale"
url = "serial:///dev/ttyUSB0"
protocol = "mettler"
[[device]]
name = "scale3"
driver = "scale"
url = "serial:///dev/ttyUSB0"
min_g = "5"
[[device]]
name = "scale4"
driver = "scale"
url = "serial:///dev/ttyUSB0"
colour = "red"
""",
    )
    assert len(lines) == 8
    assert all(line.startswith(f"{tmp_path}/station.toml: ") and "\n" not in line for line in lines)
    for line, part in zip(
        lines,
        [
            "unknown section [servers]",
            "name: letters, digits",
            'unknown driver "sacle"; known are dws',
            '"scale2": protocol must be one of cas',
            "\"scale3\": min_g must be a whole number, not '5'",
            '"scale4": unknown option colour',
            '[server] url "wms.example.com" must be like https://',
            "[health] port",
        ],
        strict=True,
    ):
        assert part in line


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no [[device]]"),
        ("this is no toml", "is not TOML"),
        (SCANNER + SCANNER, "the name is given twice"),
        (SCANNER + SCANNER.replace("scanner1", "scanner2"), 'is already used by "scanner1"'),
        (SCANNER.replace("url", "#url"), "url is missing"),
        (SCANNER + 'suffix = "CRCR"', "suffix must be one of"),
        (SCANNER + "enabled = 1", "enabled must be true or false"),
        ('[server]\nurl = "http://10.0.0.1"\n' + SCANNER, "use https, or set allow_http"),
        ("[server]\nurl = 5\n" + SCANNER, "url must be of type str"),
        ('outbox = "x"\n' + SCANNER, "[outbox] must be a section"),
    ],
)
def test_one_mistake_is_one_clear_line(tmp_path: Path, text: str, part: str) -> None:
    lines = mistakes(tmp_path, text)
    assert any(part in line for line in lines), lines


def test_plain_http_is_for_loopback_or_for_those_who_say_so(tmp_path: Path) -> None:
    assert load(tmp_path, '[server]\nurl = "http://127.0.0.1:8000/"\n' + SCANNER).server_url == "http://127.0.0.1:8000"
    assert load(tmp_path, '[server]\nurl = "http://10.0.0.1"\nallow_http = true\n' + SCANNER).server_url


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="cannot be read: No such file"):
        load_config(tmp_path / "none.toml")
