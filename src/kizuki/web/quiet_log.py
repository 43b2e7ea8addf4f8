"""Log lines without values."""

import logging
from typing import Any


class QuietFormatter(logging.Formatter):
    """Log lines without values: an exception is printed as its class and the places it passed, never its message."""

    def formatException(self, ei: Any) -> str:
        """Class and frames only; the message of an exception may quote a person's data."""
        kind, _error, trace = ei
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"  {code.co_filename}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        return "\n".join([f"{getattr(kind, '__name__', kind)}（内容は記録しない）", *places])


class NoAddresses(logging.Filter):
    """At the relay an address is a key (a notice's own page, a ticket): what libraries say of a request is told without it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every line through; those not our own lose their words, and keep time, level, place and kind of exception."""
        if not record.name.startswith("kizuki"):
            record.msg, record.args = "（番地と内容は記録しない）", ()
        return True
