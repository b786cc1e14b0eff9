"""`voicebot settings`: what is in force, and the reference of all there are."""

from __future__ import annotations

from pathlib import Path

import typer

from voicebot.cli.terminal import AsJson, Config, fail, print_row

settings = typer.Typer(no_args_is_help=True, help="Settings")
_SECRET = "***"


@settings.command("show")
def settings_show(config: Config = None, as_json: AsJson = False) -> None:
    """Print every setting that is in force, secrets blotted out, and name what nobody reads."""
    from voicebot.config import SettingsError, load_settings, unread_settings

    try:
        values = shown(load_settings(config).model_dump())
    except SettingsError as error:
        fail(str(error))
    if as_json:
        print_row(values)
    else:
        for name, value in values.items():
            typer.echo(f"{name} = {value}")
    for line in unread_settings():
        typer.echo(line, err=True)


@settings.command("reference")
def settings_reference() -> None:
    """Print the page of all settings (docs/reference/configuration.md)."""
    from voicebot.config_reference import reference

    typer.echo(reference(), nl=False)


def shown(values: dict[str, object]) -> dict[str, object]:
    """As JSON can hold it, without passwords: those in secrets and those in addresses."""
    from pydantic import SecretStr

    from voicebot.telemetry.masking import without_password

    def one(name: str, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, SecretStr) or name in ("ice_servers", "vault_key"):
            return _SECRET if value else None
        if isinstance(value, tuple):
            return [one(name, inner) for inner in value]
        if isinstance(value, dict):
            return {key: _SECRET if "password" in key else one(key, inner) for key, inner in value.items()}
        return str(value) if isinstance(value, Path) else without_password(str(value))

    return {name: one(name, value) for name, value in values.items()}
