"""This module proves that settings come from their three sources in order, and that no misspelling passes."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from plantmon.errors import SettingsError
from plantmon.settings import PREFIX, Settings, lines_of, load_settings, setting_names


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave no variable of ours set, and stand in an empty folder."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIX) or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _load(tmp_path: Path, toml: str = "") -> Settings:
    file = tmp_path / "plantmon.toml"
    file.write_text(toml, encoding="utf-8")
    return load_settings(file)


def _faults(tmp_path: Path, toml: str = "") -> list[str]:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, toml)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def _credential(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(value, encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))


def test_defaults(tmp_path: Path) -> None:
    """An empty file gives settings that work on one machine."""
    settings = _load(tmp_path)
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.protocol) == ("127.0.0.1", 1883, "auto")
    assert (settings.mqtt.keepalive_s, settings.mqtt.receive_maximum) == (30, 1000)
    assert (settings.mqtt.queue_messages, settings.mqtt.queue_mb) == (20000, 64)
    assert (settings.mqtt.session_expiry, settings.mqtt.session_expiry_s) == (timedelta(days=30), 30 * 86400)
    assert (settings.smtp.port, settings.smtp.timeout_s, settings.web.port) == (25, 20, 8460)
    assert (settings.store.raw_days, settings.influx, settings.mqtt.tls) == (60, None, None)
    assert (settings.clock.start, settings.clock.real_start, settings.clock.rate) == ("", "", 1.0)


def test_paths_lie_beside_the_file(tmp_path: Path) -> None:
    """A relative path is meant from the settings file's folder, an absolute one is kept."""
    settings = _load(tmp_path, '[store]\npath = "/var/lib/p.db"\n[mqtt]\ntls = {ca = "ca.pem", cert = "c.pem"}\n')
    assert settings.plant.file == tmp_path / "plant.yaml"
    assert settings.store.path == Path("/var/lib/p.db")
    assert settings.mqtt.tls is not None
    assert (settings.mqtt.tls.ca, settings.mqtt.tls.cert, settings.mqtt.tls.key) == (
        tmp_path / "ca.pem",
        tmp_path / "c.pem",
        None,
    )


def test_order_of_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential overrides the file and the environment overrides both; the rest of a table stays."""
    toml = '[mqtt]\nhost = "file"\nusername = "file"\nclient_id = "file"\n'
    _credential(monkeypatch, tmp_path, "mqtt__host", "credential\n")
    _credential(monkeypatch, tmp_path, "mqtt__username", "credential")
    monkeypatch.setenv("PLANTMON_MQTT__HOST", "environment")
    mqtt = _load(tmp_path, toml).mqtt
    assert (mqtt.host, mqtt.username, mqtt.client_id) == ("environment", "credential", "file")


def test_secrets_folder_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PLANTMON_SECRETS_DIR names another folder than systemd's."""
    _credential(monkeypatch, tmp_path, "mqtt__password", "systemd")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mqtt__password").write_text("own\r\n", encoding="utf-8")
    monkeypatch.setenv("PLANTMON_SECRETS_DIR", str(tmp_path / "own"))
    password = _load(tmp_path).mqtt.password
    assert password is not None
    assert password.get_secret_value() == "own"


def test_secrets_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor messages show a password or token."""
    _credential(monkeypatch, tmp_path, "smtp__password", "hushhush")
    monkeypatch.setenv("PLANTMON_MQTT__PASSWORD", "hushhush")
    monkeypatch.setenv("PLANTMON_INFLUX__TOKEN", "hushhush")
    toml = '[influx]\nurl = "http://x"\norg = "o"\nbucket = "b"\n'
    settings = _load(tmp_path, toml)
    assert settings.influx is not None
    assert settings.influx.token is not None
    assert "hushhush" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    monkeypatch.setenv("PLANTMON_MQTT__PORT", "hushhush")
    assert "hushhush" not in "".join(_faults(tmp_path, '[smtp]\npassword = ["hushhush"]\n'))


def test_secrets_of_the_second_channel_and_the_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses and headers may come as credentials, are read whole, and are never shown."""
    _credential(monkeypatch, tmp_path, "second_channel__url", "https://plant:hushhush@example.com/hook?key=hushhush\n")
    _credential(monkeypatch, tmp_path, "second_channel__headers", "Authorization: Bearer hushhush\n\nX-Plant: 7\n")
    monkeypatch.setenv("PLANTMON_SECOND_CHANNEL__URLS", "mock://hushhush")
    monkeypatch.setenv("PLANTMON_HEARTBEAT__URL", "https://example.com/hushhush")
    settings = _load(tmp_path, "[second_channel]\n[heartbeat]\n")
    channel, heartbeat = settings.second_channel, settings.heartbeat
    assert channel is not None
    assert heartbeat is not None
    assert lines_of(channel.headers) == ["Authorization: Bearer hushhush", "X-Plant: 7"]
    assert channel.after == timedelta(minutes=10)
    assert (heartbeat.every, heartbeat.method, heartbeat.even_without_broker) == (timedelta(seconds=60), "GET", False)
    assert "hushhush" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    monkeypatch.setenv("PLANTMON_HEARTBEAT__URL", "hushhush")
    monkeypatch.setenv("PLANTMON_SECOND_CHANNEL__HEADERS", "hushhush")
    faults = "".join(_faults(tmp_path, "[second_channel]\n[heartbeat]\n"))
    assert "environment: PLANTMON_HEARTBEAT__URL: expected an address" in faults
    assert "hushhush" not in faults


MISSPELT = [
    ("[mqtt]\nhost = 'a'\nprot = 1\n", "plantmon.toml:3: mqtt.prot: unknown setting; did you mean port?"),
    ("[mqt]\nhost = 'a'\n", "plantmon.toml:1: mqt: unknown setting; did you mean mqtt?"),
    ("[mqtt]\ntls = {ca = 'a', crt = 'b'}\n", "plantmon.toml:2: mqtt.tls.crt: unknown setting; did you mean cert?"),
    ("[mqtt.tls]\nca = 'a'\ncrt = 'b'\n", "plantmon.toml:3: mqtt.tls.crt: unknown setting; did you mean cert?"),
    ("[log]\n\nlvel = 'info'\n", "plantmon.toml:3: log.lvel: unknown setting; did you mean level?"),
]


@pytest.mark.parametrize(("toml", "fault"), MISSPELT)
def test_misspelt_key(tmp_path: Path, toml: str, fault: str) -> None:
    """A misspelt key is an error with its line and the nearest right one."""
    assert _faults(tmp_path, toml) == [fault]


VARIABLES = [
    ("PLANTMON_TYPO", "environment: PLANTMON_TYPO: unknown setting"),
    ("PLANTMON_MQTT__PROT", "did you mean PLANTMON_MQTT__PORT?"),
    ("PLANTMON_MQTT", "environment: PLANTMON_MQTT: unknown setting"),
    ("PLANTMON_MQTT_HOST", "did you mean PLANTMON_MQTT__HOST?"),
    ("plantmon_smtp__hots", "did you mean PLANTMON_SMTP__HOST?"),
]


@pytest.mark.parametrize(("name", "said"), VARIABLES)
def test_misspelt_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    """A variable with our prefix that is no setting is an error with the nearest right one."""
    monkeypatch.setenv(name, "1")
    [fault] = _faults(tmp_path)
    assert said in fault


def test_misspelt_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential with a section's form that is no setting is an error; other files are not ours."""
    _credential(monkeypatch, tmp_path, "tls-key", "x")
    _credential(monkeypatch, tmp_path, "mqtt__pasword", "x")
    assert _faults(tmp_path) == ["credentials/mqtt__pasword: unknown setting; did you mean mqtt__password?"]


def test_names_that_are_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the command line stand beside the settings."""
    monkeypatch.setenv("PLANTMON_LANG", "zh")
    monkeypatch.setenv("PLANTMON_CONFIG", "elsewhere.toml")
    assert _load(tmp_path).mqtt.port == 1883


WRONG = [
    ("[mqtt]\nport = 0\n", "plantmon.toml:2: mqtt.port: "),
    ("[mqtt]\nport = 'eighteen'\n", "plantmon.toml:2: mqtt.port: "),
    ("[mqtt]\nsession_expiry = '0s'\n", "plantmon.toml:2: mqtt.session_expiry: "),
    ("[mqtt]\nsession_expiry = 0\n", "plantmon.toml:2: mqtt.session_expiry: expected a duration"),
    ("[mqtt]\nsession_expiry = '900ms'\n", "plantmon.toml:2: mqtt.session_expiry: expected from 1s"),
    ("[mqtt]\nsession_expiry = '99999d'\n", "plantmon.toml:2: mqtt.session_expiry: expected from 1s"),
    ("[mqtt]\nprotocol = '4'\n", "plantmon.toml:2: mqtt.protocol: "),
    ("[mqtt]\ntls = 'ca.pem'\n", "plantmon.toml:2: mqtt.tls: "),
    ("[smtp]\nsender = 'nobody'\n", "plantmon.toml:2: smtp.sender: expected an email address"),
    ("[smtp]\nsecurity = 'ssl'\n", "plantmon.toml:2: smtp.security: "),
    ("[store]\nraw_days = 0\n", "plantmon.toml:2: store.raw_days: "),
    ("[clock]\nrate = 0\n", "plantmon.toml:2: clock.rate: "),
    ("[clock]\nrate = inf\n", "plantmon.toml:2: clock.rate: "),
    ("[clock]\nstart = 'yesterday'\n", "plantmon.toml:2: clock.start: "),
    ("[influx]\nurl = 'http://x'\norg = 'o'\n", "plantmon.toml:1: influx.bucket: "),
    ("mqtt = 3\n", "plantmon.toml:1: mqtt: "),
    ("[second_channel]\nafter = '5min'\n", "plantmon.toml:1: second_channel: a webhook needs its url"),
    ("[second_channel]\nkind = 'apprise'\nurls = ' '\n", "plantmon.toml:1: second_channel: apprise needs its urls"),
    ("[second_channel]\nurl = 'ftp://x'\n", "plantmon.toml:2: second_channel.url: expected an address such as https"),
    ("[second_channel]\nurl = 'http://x y'\n", "plantmon.toml:2: second_channel.url: expected an address"),
    (
        "[second_channel]\nurl = 'http://x'\nafter = '0.5s'\n",
        "plantmon.toml:3: second_channel.after: expected at least 1s",
    ),
    (
        "[second_channel]\nurl = 'http://x'\nheaders = 'X'\n",
        "plantmon.toml:3: second_channel.headers: expected one header",
    ),
    (
        "[second_channel]\nurl = 'http://x'\ntemplate = 'a'\n",
        "plantmon.toml:3: second_channel.template: expected a JSON",
    ),
    (
        "[second_channel]\nurl = 'http://x'\ntemplate = '[]'\n",
        "plantmon.toml:3: second_channel.template: expected a JSON",
    ),
    (
        "[second_channel]\nurl = 'http://x'\ntemplate = '{\"a\": \"$titel\"}'\n",
        "plantmon.toml:3: second_channel.template: $titel is no field; expected $ before one of: id, plant,",
    ),
    (
        "[second_channel]\nurl = 'http://x'\ntemplate = '{\"a\": \"5 $\"}'\n",
        "plantmon.toml:3: second_channel.template: a $ that names no field is written $$",
    ),
    ("[heartbeat]\nevery = '30s'\n", "plantmon.toml:1: heartbeat: a heartbeat needs a url, an mqtt_topic, or both"),
    ("[heartbeat]\nmqtt_topic = 'plant/#'\n", "plantmon.toml:2: heartbeat.mqtt_topic: expected a topic to publish to"),
]


@pytest.mark.parametrize(("toml", "fault"), WRONG)
def test_wrong_value(tmp_path: Path, toml: str, fault: str) -> None:
    """A wrong value is an error with its line and its setting."""
    [found] = _faults(tmp_path, toml)
    assert found.startswith(fault)


def test_wrong_value_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value is told where it came from: the variable, the credential or the file."""
    monkeypatch.setenv("PLANTMON_WEB__PORT", "web")
    _credential(monkeypatch, tmp_path, "smtp__port", "mail")
    faults = _faults(tmp_path, "[mqtt]\nport = 'a'\n")
    assert len(faults) == 3
    assert any(fault.startswith("environment: PLANTMON_WEB__PORT: ") for fault in faults)
    assert any(fault.startswith("credentials/smtp__port: ") for fault in faults)
    assert any(fault.startswith("plantmon.toml:2: mqtt.port: ") for fault in faults)


def test_all_faults_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Misspelt names and wrong values are told together."""
    monkeypatch.setenv("PLANTMON_TYPO", "1")
    assert len(_faults(tmp_path, "[mqtt]\nprot = 1\nport = 0\n[log]\nlevel = 'loud'\n")) == 4


def test_no_toml(tmp_path: Path) -> None:
    """A file that is no TOML is an error with the line where it breaks."""
    assert _faults(tmp_path, "[mqtt]\nhost = \n")[0].startswith("plantmon.toml:2: this is no TOML")


def test_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path the file named by PLANTMON_CONFIG is taken, else config/plantmon.toml where one stands."""
    if Path("/etc/plantmon/plantmon.toml").exists():
        pytest.skip("this machine has settings of its own")
    with pytest.raises(SettingsError, match="--config"):
        load_settings()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "plantmon.toml").write_text("[web]\nport = 1\n", encoding="utf-8")
    settings = load_settings()
    assert (settings.web.port, settings.plant.file) == (1, tmp_path / "config" / "plant.yaml")
    (tmp_path / "other.toml").write_text("[web]\nport = 2\n", encoding="utf-8")
    monkeypatch.setenv("PLANTMON_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings().web.port == 2


def test_missing_file(tmp_path: Path) -> None:
    """A named file that is not there is an error with its name."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        load_settings(tmp_path / "nowhere.toml")


def test_clock_of_a_demonstration(tmp_path: Path) -> None:
    """The clock's start may be a text or TOML's own date-time."""
    for written in ("2020-03-01T08:00:00+08:00", "'2020-03-01T08:00:00+08:00'"):
        clock = _load(tmp_path, f"[clock]\nstart = {written}\nrate = 60\n").clock
        assert (clock.start, clock.rate) == ("2020-03-01T08:00:00+08:00", 60.0)


def test_frozen(tmp_path: Path) -> None:
    """Settings cannot be changed once they are read."""
    with pytest.raises(ValidationError):
        _load(tmp_path).mqtt.port = 1


def test_setting_names() -> None:
    """Every setting is listed once, nested ones with their table."""
    names = setting_names()
    assert len(names) == len(set(names))
    assert {"mqtt.tls.ca", "influx.token", "clock.rate", "plant.file"} <= set(names)
