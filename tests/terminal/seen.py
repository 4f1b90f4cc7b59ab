"""What a person sees of a row."""

import re

from rtassist.terminal.widths import Row


def seen(row: Row) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", row.text)
