"""`harness doctor`: what is installed, what works here, what is slow and why; the work is in `doctor_report`."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cli.declaration import Status
from harness.cli.parameters import Records
from harness.cli.table_parameters import Format, Tables


@dataclass(frozen=True, kw_only=True)
class Doctor(Tables, Records):
    """Parameters of `harness doctor`."""


def doctor(parameters: Doctor) -> Status:
    """Show what is installed, what works on this machine, what is slow and why, and what to do about it.

    Exit status: 0 everything that is needed works; 1 something does not.
    """
    from harness.cli import doctor_report
    from harness.report.screen import screens
    from harness.report.sheets import show

    checks = doctor_report.checks(parameters.data_dir, parameters.cache_dir, parameters.results)
    verbose = parameters.verbose or parameters.format != Format.text
    shown = doctor_report.shown(checks, verbose=verbose)
    show(screens()[0], shown, parameters.format.value, verbose=parameters.verbose)
    return Status.FAILED if any(check.state == "fails" for check in checks) else Status.OK
