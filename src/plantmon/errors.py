"""This module holds every exception of plantmon; the class says who must act, the message says what and where."""


class PlantmonError(Exception):
    """Something plantmon cannot go on with."""


class SettingsError(PlantmonError):
    """The settings (TOML, environment, credentials) are wrong; the administrator must mend them."""


class PlantFileError(PlantmonError):
    """The plant file is wrong; `problems` lists every mistake as `file:line: field: what, expected`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class FormulaError(PlantmonError):
    """A calculated point's formula is wrong; `key` names the sentence that says how, `values` what it speaks of."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class DerivationError(PlantmonError):
    """A metric's derivation is wrong; `key` names the sentence that says how, `values` what it speaks of."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(f"{key}: {', '.join(map(str, values.values()))}")
        self.key = key
        self.values = values


class UnitError(PlantmonError):
    """A unit is unknown, or of another dimension than the quantity asked for."""


class DeclarationError(PlantmonError):
    """What somebody declared cannot be meant; the message says which part of it, and nothing was kept."""


class AlarmError(PlantmonError):
    """What somebody asked of an alarm cannot be; `key` names the sentence that says why, `values` what it speaks of."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(f"{key}: {', '.join(map(str, values.values()))}")
        self.key = key
        self.values = values


class DecodeError(PlantmonError):
    """A payload cannot be understood. Caught per message and turned into a `rejected` row."""


class StoreUnavailable(PlantmonError):
    """The store cannot be written just now (disk full, locked); trying again later may succeed."""


class StoreCorrupt(PlantmonError):
    """The store is damaged or of a newer schema; nothing is moved or begun anew, a person must look."""


class ArchiveError(PlantmonError):
    """A file of the archive cannot be written, is missing or is not what was sealed; nothing was let go of for it."""


class TableError(PlantmonError):
    """A file of readings cannot be read as a table."""


class AlreadyRunning(PlantmonError):
    """Another daemon holds the lock of this store."""


class StatementError(PlantmonError):
    """What a plant of a group published cannot be read; the message says where, and what is wrong with it."""


class CannotPrint(PlantmonError):
    """A page cannot be printed; `is_missing` says that the library for it, or what that needs, is not installed."""

    def __init__(self, message: str, *, is_missing: bool) -> None:
        super().__init__(message)
        self.is_missing = is_missing


class DeliveryError(PlantmonError):
    """A server did not take what was sent to it; `retriable` says whether trying again can help.

    `code` is its answer as a number, None where it gave none.
    """

    def __init__(self, message: str, *, retriable: bool, code: int | None = None) -> None:
        super().__init__(message)
        self.retriable = retriable
        self.code = code
