"""This module reads the service settings: where things are. What the plant is stands in the plant file.

A setting comes from the TOML file, over it from a credentials directory (`mqtt__password`), over that from the
environment (`PLANTMON_MQTT__PASSWORD`). A misspelt name is an error in each of the three, since a setting that is
silently not taken is found out at night. Relative paths are meant from the TOML file's folder, wherever they stand.
Secrets are never shown: messages name the setting and not its value.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import string
import tomllib
import typing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from plantmon.errors import SettingsError
from plantmon.model.notice import FIELDS
from plantmon.times import parse_duration_ms

PREFIX = "PLANTMON_"
PLACES = (Path("/etc/plantmon/plantmon.toml"), Path("config/plantmon.toml"))
_OTHER_NAMES = {"PLANTMON_CONFIG", "PLANTMON_LANG", "PLANTMON_SECRETS_DIR"}
_LONGEST_EXPIRY_S = 2**32 - 2  # MQTT 5, 3.1.2.11.2: four bytes, the highest meaning for ever
_TABLE = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@]+(:[^\s/?#@]*@[^\s/?#@]+)?([/?#][!-~]*)?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[ \t]*[ -~]*")  # RFC 9110, 5.1 and 5.5
_SIZE = re.compile(r"([0-9]{1,6}) ?(MB|GB)")
_SIZES = {"MB": 1_000_000, "GB": 1_000_000_000}
_LONGEST_TOPIC = 65_535  # bytes; MQTT 5, 1.5.4


def _read_duration(value: Any) -> Any:
    """Read `30d`; a number without unit is refused."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a duration above zero such as 30d")
    try:
        return timedelta(milliseconds=parse_duration_ms(value))
    except OverflowError as error:
        raise ValueError("expected a duration such as 30d") from error


def _expires(value: timedelta) -> timedelta:
    if not 1 <= value.total_seconds() <= _LONGEST_EXPIRY_S:
        raise ValueError("expected from 1s to 136 years: without a session the broker keeps nothing for us")
    return value


def _read_moment(value: Any) -> Any:
    """Read an ISO date-time, as a text or as TOML writes it; nothing is the empty text."""
    text = value.isoformat() if isinstance(value, datetime) else value
    if isinstance(text, str) and text:
        datetime.fromisoformat(text)
    return text


def _is_address(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError("expected an email address such as plantmon@example.com")
    return value


def _is_web_address(value: SecretStr) -> SecretStr:
    if not _WEB_ADDRESS.fullmatch(value.get_secret_value()):
        raise ValueError("expected an address such as https://example.com/hook")
    return value


def _are_headers(value: SecretStr) -> SecretStr:
    if not all(_HEADER.fullmatch(line) for line in lines_of(value)):
        raise ValueError("expected one header a line, such as Authorization: Bearer TOKEN")
    return value


def lines_of(value: SecretStr | None) -> list[str]:
    """Give the lines of a secret that holds one thing a line, without empty ones."""
    stripped = (line.strip() for line in (value.get_secret_value() if value else "").splitlines())
    return [line for line in stripped if line]


def _is_template(value: str) -> str:
    """Look at the JSON text and the fields it names. Raises ValueError."""
    try:
        found = json.loads(value)
    except ValueError as error:
        raise ValueError("expected a JSON object as text") from error
    if not isinstance(found, dict):
        raise ValueError("expected a JSON object as text")
    template = string.Template(value)
    unknown = [name for name in template.get_identifiers() if name not in FIELDS]
    if unknown or not template.is_valid():
        named = f"${unknown[0]} is no field" if unknown else "a $ that names no field is written $$"
        raise ValueError(f"{named}; expected $ before one of: {', '.join(FIELDS)}")
    return value


def _is_topic(value: str) -> str:
    if not value or any(sign in value for sign in "+#\0") or len(value.encode()) > _LONGEST_TOPIC:
        raise ValueError("expected a topic to publish to, without + and #")
    return value


def _is_a_second(value: timedelta) -> timedelta:
    if value.total_seconds() < 1:
        raise ValueError("expected at least 1s")
    return value


def _is_a_day(value: timedelta) -> timedelta:
    if value < timedelta(days=1):
        raise ValueError("expected at least 1d: what still comes for a day is best sealed with it")
    return value


def _read_size(value: Any) -> Any:
    """Read `2GB` or `500MB`; a number without unit is refused."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("expected a size such as 2GB or 500MB")
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a size such as 2GB or 500MB")
    return int(found[1]) * _SIZES[found[2]]


Size = Annotated[int, BeforeValidator(_read_size), Field(ge=1_000_000)]
Port = Annotated[int, Field(ge=1, le=65535)]
Host = Annotated[str, Field(min_length=1)]
Moment = Annotated[str, BeforeValidator(_read_moment)]
Address = Annotated[str, AfterValidator(_is_address)]
WebAddress = Annotated[SecretStr, AfterValidator(_is_web_address)]
Headers = Annotated[SecretStr, AfterValidator(_are_headers)]
Wait = Annotated[timedelta, BeforeValidator(_read_duration), AfterValidator(_is_a_second)]
TimeoutS = Annotated[float, Field(gt=0, le=600)]
Expiry = Annotated[timedelta, BeforeValidator(_read_duration), AfterValidator(_expires)]


class Section(BaseModel):
    """A table of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PlantSection(Section):
    """Where the plant file is."""

    file: Path = Path("plant.yaml")


class Store(Section):
    """Where everything durable lies, and for how many days readings stay in it."""

    path: Path = Path("plantmon.db")
    raw_days: Annotated[int, Field(ge=1)] = 60


class ArchiveSection(Section):
    """Where sealed days lie, and at what age a day is sealed; None: the folder `archive` beside the store."""

    path: Path | None = None
    after: Annotated[timedelta, BeforeValidator(_read_duration), AfterValidator(_is_a_day)] = timedelta(days=7)


class Tls(Section):
    """Certificates for the broker: the authority's, and our own with its key."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


class Mqtt(Section):
    """The broker and our session with it."""

    host: Host = "127.0.0.1"
    port: Port = 1883
    client_id: Annotated[str, Field(min_length=1, max_length=200)] = "plantmon"
    username: str | None = None
    password: SecretStr | None = None
    tls: Tls | None = None
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    keepalive_s: Annotated[int, Field(ge=5, le=65535)] = 30
    session_expiry: Expiry = timedelta(days=30)
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] = 1000
    queue_messages: Annotated[int, Field(ge=1)] = 20000
    queue_mb: Annotated[int, Field(ge=1)] = 64

    @property
    def session_expiry_s(self) -> int:
        """Give the session's expiry in whole seconds."""
        return int(self.session_expiry.total_seconds())


class Smtp(Section):
    """The mail server and in whose name mails go out."""

    host: Host = "127.0.0.1"
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "none"
    sender: Address = "plantmon@localhost"
    username: str | None = None
    password: SecretStr | None = None
    timeout_s: TimeoutS = 20


class SecondChannel(Section):
    """The other way for a breach whose mail has not been accepted `after` so long, in real time."""

    kind: Literal["webhook", "apprise"] = "webhook"
    after: Wait = timedelta(minutes=10)
    language: Literal["zh", "en", "both"] = "both"
    url: WebAddress | None = None
    headers: Headers | None = None
    template: Annotated[str, AfterValidator(_is_template)] | None = None
    expect: Annotated[str, Field(min_length=1)] | None = None
    timeout_s: TimeoutS = 20
    urls: SecretStr | None = None

    @model_validator(mode="after")
    def _has_an_address(self) -> SecondChannel:
        if self.kind == "webhook" and self.url is None:
            raise ValueError("a webhook needs its url")
        if self.kind == "apprise" and not lines_of(self.urls):
            raise ValueError("apprise needs its urls, one a line")
        return self


class Heartbeat(Section):
    """What tells others that plantmon lives: a request, a retained message, or both."""

    url: WebAddress | None = None
    method: Literal["GET", "HEAD", "POST"] = "GET"
    every: Wait = timedelta(seconds=60)
    timeout_s: TimeoutS = 10
    mqtt_topic: Annotated[str, AfterValidator(_is_topic)] | None = None
    even_without_broker: bool = False

    @model_validator(mode="after")
    def _beats_somewhere(self) -> Heartbeat:
        if self.url is None and self.mqtt_topic is None:
            raise ValueError("a heartbeat needs a url, an mqtt_topic, or both")
        return self


class Web(Section):
    """Where the pages are served."""

    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8460


class Influx(Section):
    """An InfluxDB beside the store, which gets a copy; `spool_max` is in bytes."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    org: str
    bucket: str
    token: SecretStr | None = None
    ca: Path | None = None
    timeout_s: TimeoutS = 10
    hold_s: Annotated[float, Field(ge=0, le=3600)] = 60
    spool_max: Size = 2_000_000_000


class Log(Section):
    """What is logged and how; `auto` writes JSON under systemd and text on a terminal."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class ClockSection(Section):
    """Plant time for demonstrations: `start` at the real time `real_start`, then `rate` times as fast.

    Empty moments are the present; one without a zone is in plant time.
    """

    start: Moment = ""
    real_start: Moment = ""
    rate: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] = 1.0


class Settings(BaseSettings):
    """All settings, resolved and frozen."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
    )

    plant: PlantSection = PlantSection()
    store: Store = Store()
    archive: ArchiveSection = ArchiveSection()
    mqtt: Mqtt = Mqtt()
    smtp: Smtp = Smtp()
    second_channel: SecondChannel | None = None
    heartbeat: Heartbeat | None = None
    web: Web = Web()
    influx: Influx | None = None
    log: Log = Log()
    clock: ClockSection = ClockSection()


def load_settings(path: Path | None = None) -> Settings:
    """Load the settings from a TOML file, a credentials directory and the environment.

    Without a path: the file PLANTMON_CONFIG names, else the first of `PLACES` there is. Raises SettingsError with every
    misspelt name and wrong value, with `file:line` where it stands in the TOML file.
    """
    file = path or _find()
    text = _read(file)
    toml = _parse(file, text)
    folder = _secrets_folder()
    secrets = _read_secrets(folder) if folder is not None else {}
    faults = _misspelt_keys(file, text, toml) + _misspelt_files(folder, secrets) + _misspelt_variables()
    settings = Settings.model_construct()
    try:
        settings = _sources(toml, _nested(secrets))()
    except ValidationError as error:
        faults += _faults(error, file, text, folder, secrets)
    except SourceError as error:
        faults.append(f"environment: {error}")
    if faults:
        raise SettingsError("\n".join(faults))
    return _resolved(settings, file.absolute().parent)


def _find() -> Path:
    """Give the settings file when none was named."""
    named = os.environ.get("PLANTMON_CONFIG")
    if named:
        return Path(named)
    found = next((place for place in PLACES if place.exists()), None)
    if found is None:
        places = " or ".join(str(place) for place in PLACES)
        raise SettingsError(f"no settings file, expected {places}, or one named with --config")
    return found


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not in UTF-8, expected UTF-8 text") from error


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise SettingsError(f"{file}:{line[1] if line else 1}: this is no TOML: {error}") from error


def _secrets_folder() -> Path | None:
    """Give the folder of the credentials: systemd's unless another was named."""
    folder = os.environ.get("PLANTMON_SECRETS_DIR") or os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def _read_secrets(folder: Path) -> dict[str, str]:
    """Read the credentials with `__` in their names, others are not ours; a last line end is no part of one."""
    try:
        files = sorted(file for file in folder.iterdir() if "__" in file.name and file.is_file())
        return {file.name: file.read_text(encoding="utf-8").rstrip("\r\n") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{folder}: the credentials cannot be read: {type(error).__name__}") from None


def _nested(secrets: dict[str, str]) -> dict[str, Any]:
    """Give `mqtt__password` as mqtt.password."""
    nested: dict[str, Any] = {}
    for name, value in secrets.items():
        *tables, key = name.lower().split("__")
        table = nested
        for part in tables:
            table = table.setdefault(part, {})
        table[key] = value
    return nested


def _sources(toml: dict[str, Any], secrets: dict[str, Any]) -> type[Settings]:
    """Make the settings read these sources, first come first taken: environment, credentials, TOML."""

    class Loaded(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            files = (InitSettingsSource(settings_cls, source) for source in (secrets, toml))
            return (init_settings, env_settings, *files)

    return Loaded


def setting_names() -> list[str]:
    """List every setting as `section.key`, in the order of this module."""
    return [name for section, model in _tables(Settings).items() for name in _names(section, model)]


def _names(prefix: str, model: type[BaseModel]) -> list[str]:
    tables = _tables(model)
    names = []
    for key in model.model_fields:
        names.append(f"{prefix}.{key}")
        if key in tables:
            names += _names(f"{prefix}.{key}", tables[key])
    return names


def _tables(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Give the keys of a model that are tables themselves."""
    found = {}
    for key, field in model.model_fields.items():
        for kind in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found[key] = kind
    return found


def _nearest(name: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(name, allowed, n=1, cutoff=0.4)
    return f"did you mean {near[0]}?" if near else f"expected one of: {', '.join(allowed)}"


def _misspelt_keys(file: Path, text: str, toml: dict[str, Any]) -> list[str]:
    """Name every key of the TOML file that is no setting, with the nearest that is."""
    return [
        f"{file}:{_line(text, path)}: {'.'.join(path)}: unknown setting; {_nearest(path[-1], allowed)}"
        for path, allowed in _unknown(toml, Settings, ())
    ]


def _unknown(
    table: dict[str, Any], model: type[BaseModel], path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], list[str]]]:
    tables = _tables(model)
    found = []
    for key, value in table.items():
        if key not in model.model_fields:
            found.append(((*path, key), list(model.model_fields)))
        elif key in tables and isinstance(value, dict):
            found += _unknown(value, tables[key], (*path, key))
    return found


def _misspelt_files(folder: Path | None, secrets: dict[str, str]) -> list[str]:
    allowed = [name.replace(".", "__") for name in setting_names()]
    return [f"{folder}/{name}: unknown setting; {_nearest(name, allowed)}" for name in secrets if name not in allowed]


def _misspelt_variables() -> list[str]:
    """Name every variable with our prefix that is no setting; pydantic-settings passes over them in silence."""
    allowed = [PREFIX + name.replace(".", "__").upper() for name in setting_names()]
    given = sorted(name for name in os.environ if name.upper().startswith(PREFIX))
    return [
        f"environment: {name}: unknown setting; {_nearest(name.upper(), allowed)}"
        for name in given
        if name.upper() not in allowed and name not in _OTHER_NAMES
    ]


def _line(text: str, path: tuple[str, ...]) -> int:
    """Give the line of a key in a TOML text, that of its table where the key is not written, else 1."""
    table: tuple[str, ...] = ()
    found = 1
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = tuple(match[1].split("."))
            found = number if table == path[: len(table)] else found
        elif (match := _KEY.match(line)) and (*table, match[1]) == path[: len(table) + 1]:
            return number
    return found


def _faults(error: ValidationError, file: Path, text: str, folder: Path | None, secrets: dict[str, str]) -> list[str]:
    """Say of every wrong value where it comes from and what was expected, without the value."""
    faults = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        if detail["type"] == "extra_forbidden":
            continue  # told already, with the nearest right name
        path = tuple(str(part) for part in detail["loc"])
        name = "__".join(path)
        variable = next((key for key in os.environ if key.upper() == PREFIX + name.upper()), None)
        if variable is not None and len(path) == 1:
            continue  # a variable with a section's name alone: told already
        if variable is not None:
            place = f"environment: {variable}"
        elif name in secrets:
            place = f"{folder}/{name}"
        else:
            place = f"{file}:{_line(text, path)}: {'.'.join(path)}"
        faults.append(f"{place}: {detail['msg'].removeprefix('Value error, ')}")
    return faults


def _resolved(settings: Settings, folder: Path) -> Settings:
    """Make every path absolute from the settings file's folder."""
    tls = settings.mqtt.tls
    if tls is not None:
        paths = {key: folder / path for key, path in tls if path is not None}
        settings = _with(settings, "mqtt", tls=tls.model_copy(update=paths))
    if settings.influx is not None and settings.influx.ca is not None:
        settings = _with(settings, "influx", ca=folder / settings.influx.ca)
    archive = settings.archive.path or settings.store.path.parent / "archive"
    settings = _with(settings, "archive", path=folder / archive)
    settings = _with(settings, "plant", file=folder / settings.plant.file)
    return _with(settings, "store", path=folder / settings.store.path)


def _with(settings: Settings, section: str, **values: object) -> Settings:
    changed = getattr(settings, section).model_copy(update=values)
    return settings.model_copy(update={section: changed})
