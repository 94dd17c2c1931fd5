"""This module proves that what deploy/ ships works as it stands: the broker's settings, the unit, the installer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from plantmon.settings import load_settings
from simulators.brokers import free_port, program, wait_for_port

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PASSWORD = "secret"

# Runs inside the container, after systemd came up.
STORY = """\
#!/bin/bash
exec >/out/story.log 2>&1
show() { systemctl show plantmon -p ActiveState,SubState,StatusText,NRestarts,WatchdogTimestampMonotonic,MainPID \\
  >/out/$1; }
ip link set lo up
systemctl start mosquitto
systemctl start plantmon
echo $? >/out/start_status
for i in $(seq 100); do show begun; grep -q 'StatusText=broker connected' /out/begun && break; sleep 0.2; done
sleep 3
show running
kill -STOP $(systemctl show plantmon -p MainPID --value)
for i in $(seq 300); do show hung; grep -q NRestarts=1 /out/hung && grep -q SubState=running /out/hung && break
  sleep 0.1; done
stat -c %U:%a /var/lib/plantmon/ >/out/state_folder
begin=$(date +%s%N)
systemctl stop plantmon
echo $((($(date +%s%N) - begin) / 1000000)) >/out/stop_ms
journalctl -u plantmon -o cat --no-pager _TRANSPORT=stdout >/out/log
touch /out/done
"""


class Broker(NamedTuple):
    """A mosquitto on deploy/mosquitto.conf."""

    port: int
    log: Path


def _passwords(file: Path) -> None:
    file.touch(mode=0o600)
    for name in ("plantmon", "gateway"):
        command = [program("mosquitto_passwd", "mosquitto"), "-b", str(file), name, PASSWORD]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Start mosquitto on the shipped configuration; only its paths and its port are others."""
    folder = tmp_path_factory.mktemp("broker")
    port = free_port()
    _passwords(folder / "plantmon.passwords")
    shutil.copy(DEPLOY / "mosquitto.acl", folder / "plantmon.acl")
    (folder / "plantmon.acl").chmod(0o600)
    (folder / "data").mkdir()
    text = (DEPLOY / "mosquitto.conf").read_text()
    for shipped, here in (
        ("/etc/mosquitto/", f"{folder}/"),
        ("/var/lib/mosquitto/", f"{folder}/data/"),
        ("listener 1883\n", f"listener {port} 127.0.0.1\n"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    if os.getuid() == 0:  # it would become the user mosquitto, who may not enter a test's folder
        text += "user root\n"
    file = folder / "mosquitto.conf"
    file.write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program("mosquitto", "mosquitto"), "-c", str(file)], stdout=log, stderr=log)
    try:
        wait_for_port(port, process)
        yield Broker(port, folder / "log")
    finally:
        process.terminate()
        process.wait(10)


def _client(broker: Broker, *login: str) -> list[str]:
    options = ["-h", "127.0.0.1", "-p", str(broker.port), "-q", "1"]
    return options + (["-u", login[0], "-P", login[1]] if login else [])


def _publish(broker: Broker, topic: str, text: str, *login: str) -> str:
    """Publish; give what was refused, nothing when it was taken."""
    command = [program("mosquitto_pub", "mosquitto-clients"), *_client(broker, *login), "-V", "5", "-t", topic]
    found = subprocess.run([*command, "-m", text], capture_output=True, text=True, check=False, timeout=20)
    assert found.returncode == 0 or found.stderr
    return found.stderr


def _subscribe(broker: Broker, topic: str, *login: str, wait_s: int = 2, options: tuple[str, ...] = ()) -> str:
    command = [program("mosquitto_sub", "mosquitto-clients"), *_client(broker, *login), "-t", topic]
    found = subprocess.run([*command, "-W", str(wait_s), *options], capture_output=True, check=False, timeout=20)
    return found.stdout.decode()


def test_mosquitto_takes_the_configuration(broker: Broker) -> None:
    """Mosquitto starts on it and complains of nothing."""
    said = [line for line in broker.log.read_text().splitlines() if "should not be run as root" not in line]
    assert [line for line in said if "Error" in line or "Warning" in line or "recommended" in line] == []


def test_nobody_without_a_password(broker: Broker) -> None:
    """Neither anonymous nor with a wrong password."""
    assert "Not authorized" in _publish(broker, "plant/cq-truck/DA001/nox", "x")
    assert "Not authorized" in _publish(broker, "plant/cq-truck/DA001/nox", "x", "gateway", "wrong")


def test_gateway_writes_what_waits_for_plantmon(broker: Broker) -> None:
    """What a gateway sends while plantmon is away, far more than the default of 1000, waits in its session."""
    session = ("-i", "plantmon-cq-truck", "-c")
    _subscribe(broker, "plant/#", "plantmon", PASSWORD, options=(*session, "-E"))
    count = 3000
    sender = mqtt.Client(CallbackAPIVersion.VERSION2, "gateway-1")
    sender.username_pw_set("gateway", PASSWORD)
    sender.connect("127.0.0.1", broker.port)
    sender.loop_start()
    sent = [sender.publish("plant/cq-truck/DA001/nox", str(number), qos=1) for number in range(count)]
    sent[-1].wait_for_publish(20)
    sender.disconnect()
    sender.loop_stop()
    found = _subscribe(broker, "plant/#", "plantmon", PASSWORD, wait_s=10, options=(*session, "-C", str(count)))
    assert found.split() == [str(number) for number in range(count)]


def test_gateway_reads_nothing_and_writes_nothing_else(broker: Broker) -> None:
    """A gateway that was broken into cannot listen, nor write elsewhere; nor can plantmon write."""
    assert "Not authorized" in _publish(broker, "elsewhere/x", "1", "gateway", PASSWORD)
    assert "Not authorized" in _publish(broker, "plant/cq-truck/DA001/nox", "1", "plantmon", PASSWORD)
    assert _publish(broker, "plant/cq-truck/DA001/nox", "1", "gateway", PASSWORD) == ""
    assert _subscribe(broker, "#", "gateway", PASSWORD, wait_s=1) == ""


def test_dropped_messages_can_be_counted(broker: Broker) -> None:
    """Plantmon may read the broker's count of thrown away messages, which is none."""
    topic = "$SYS/broker/publish/messages/dropped"
    assert _subscribe(broker, topic, "plantmon", PASSWORD, wait_s=15, options=("-C", "1")).strip() == "0"


def _install_files(folder: Path) -> None:
    places = {"PREFIX": folder / "opt", "ETC": folder / "etc/plantmon", "UNITS": folder / "etc/systemd/system"}
    environment = os.environ | {name: str(place) for name, place in places.items()}
    subprocess.run([DEPLOY / "install", "--files-only"], env=environment, check=True, capture_output=True, timeout=60)


def test_installed_settings_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer's settings load, keep the store in the unit's folder, and are not overwritten by a second run."""
    for name in [name for name in os.environ if name.startswith("PLANTMON_")]:
        monkeypatch.delenv(name)
    _install_files(tmp_path)
    settings = load_settings(tmp_path / "etc/plantmon/plantmon.toml")
    assert settings.store.path == Path("/var/lib/plantmon/plantmon.db")
    assert settings.plant.file == tmp_path / "etc/plantmon/plant.yaml"
    (tmp_path / "etc/plantmon/plant.yaml").write_text("mine")
    _install_files(tmp_path)
    assert (tmp_path / "etc/plantmon/plant.yaml").read_text() == "mine"


def test_unit_is_well_formed(tmp_path: Path) -> None:
    """Systemd finds no fault with the unit, nor with how much it may do."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze here")
    text = (DEPLOY / "plantmon.service").read_text()
    unit = tmp_path / "plantmon.service"
    unit.write_text(text.replace("/opt/plantmon/bin/plantmon", "/bin/true"))
    found = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)
    assert found.stderr == ""
    assert found.returncode == 0
    command = [analyze, "security", "--offline=true", "--threshold=25", str(unit)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def _system_python() -> Path:
    """Give the system's Python of our own version; a container with the host's /usr has no other."""
    version = sysconfig.get_python_version()
    python = Path(f"/usr/bin/python{version}")
    if not python.exists():
        pytest.skip(f"the container runs the system's Python, and there is no {python}")
    return python


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Boot systemd in a container, run the story with the shipped unit and broker, give what it left, by name."""
    if os.getuid() != 0:
        pytest.skip("systemd-nspawn needs root")
    if shutil.which("systemd-nspawn") is None:
        pytest.skip("systemd-nspawn is not installed (Debian: systemd-container)")
    python = _system_python()
    root = tmp_path_factory.mktemp("root")
    out = tmp_path_factory.mktemp("out")
    _install_files(root)
    _install_program(root, python)
    credentials = root / "etc/plantmon/credentials/mqtt__password"
    credentials.write_text(PASSWORD + "\n")
    mosquitto = root / "etc/mosquitto"
    mosquitto.mkdir()
    shutil.copy(DEPLOY / "mosquitto.conf", mosquitto)
    shutil.copy(DEPLOY / "mosquitto.acl", mosquitto / "plantmon.acl")
    _passwords(mosquitto / "plantmon.passwords")
    for file in (mosquitto / "plantmon.acl", mosquitto / "plantmon.passwords"):
        file.chmod(0o644)
    units = root / "etc/systemd/system"
    (root / "var/lib/mosquitto").mkdir(parents=True)
    (units / "mosquitto.service").write_text(
        "[Service]\nExecStartPre=+/bin/chown mosquitto /var/lib/mosquitto\n"
        "ExecStart=/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf\n"
    )
    (units / "plantmon.service.d").mkdir()
    (units / "plantmon.service.d/site.conf").write_text(
        "[Service]\nLoadCredential=mqtt__password:/etc/plantmon/credentials/mqtt__password\nWatchdogSec=3\n"
        "ExecStopPost=+/bin/sh -c 'echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >>/out/ends'\n"
    )
    story = root / "story"
    story.write_text(STORY)
    packages = sysconfig.get_path("purelib")
    command = [Path(__file__).with_name("nspawn.sh"), root, out, story, f"--bind-ro={packages}:/opt/packages"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)
    if found.returncode != 0 and not (out / "story.log").exists():
        said = found.stdout + found.stderr
        if "Operation not permitted" in said or "not supported" in said:
            pytest.skip(f"systemd-nspawn cannot boot here: {said.splitlines()[-1]}")
        pytest.fail(f"the container did not boot:\n{said[-3000:]}")
    assert found.returncode == 0, (out / "story.log").read_text() + found.stdout[-3000:]
    return {file.name: file.read_text() for file in out.iterdir()}


def _install_program(root: Path, python: Path) -> None:
    """Put the project, built as for a release, into /opt/plantmon; what it needs is taken from our own environment."""
    target = root / "opt/plantmon/lib"
    build = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*build, "--no-build-isolation", "--target", target, ROOT], check=True, timeout=120)
    (root / "opt/packages").mkdir(parents=True)
    script = root / "opt/plantmon/bin/plantmon"
    script.parent.mkdir(exist_ok=True)
    script.write_text(
        f"#!{python} -I\nimport sys\nsys.path[:0] = ['/opt/plantmon/lib', '/opt/packages']\n"
        "from plantmon.cli import main\nmain()\n"
    )
    script.chmod(0o755)


def _shown(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_unit_becomes_ready_and_connects(booted: dict[str, str]) -> None:
    """The shipped unit starts, says READY, reads its password as a credential, and shows its state."""
    assert booted["start_status"].strip() == "0"
    begun = _shown(booted["begun"])
    assert (begun["ActiveState"], begun["SubState"]) == ("active", "running")
    assert begun["StatusText"].startswith("broker connected")


def test_watchdog_is_fed(booted: dict[str, str]) -> None:
    """With a watchdog of three seconds the service still runs three seconds later, fed meanwhile."""
    begun, running = _shown(booted["begun"]), _shown(booted["running"])
    assert running["SubState"] == "running"
    assert running["NRestarts"] == "0"
    assert int(running["WatchdogTimestampMonotonic"]) > int(begun["WatchdogTimestampMonotonic"])


def test_hung_service_is_started_anew(booted: dict[str, str]) -> None:
    """A process that stands still is no longer fed for; systemd ends it and starts another, which becomes ready."""
    hung = _shown(booted["hung"])
    assert booted["ends"].startswith("watchdog ")
    assert hung["NRestarts"] == "1"
    assert hung["SubState"] == "running"
    assert hung["MainPID"] != _shown(booted["running"])["MainPID"]


def test_stops_in_good_order(booted: dict[str, str]) -> None:
    """SIGTERM ends it with status 0 within its time."""
    assert booted["ends"].splitlines()[-1] == "success exited 0"
    assert int(booted["stop_ms"]) < 15_000


def test_log_lines_are_json(booted: dict[str, str]) -> None:
    """Under systemd every line of the log is one JSON object with its event and level."""
    lines = [json.loads(line) for line in booted["log"].splitlines()]
    assert {"started", "broker_connected", "stopped"} <= {line["event"] for line in lines}
    assert all(line["level"] for line in lines)


def test_store_is_the_service_users_alone(booted: dict[str, str]) -> None:
    """The store's folder belongs to the unit's own user; others cannot enter it."""
    assert booted["state_folder"].strip() == "plantmon:750"
