"""The devices of this machine as lines for a person, or as values for a program. Pure."""

from collections.abc import Sequence

from rtassist.audio.devices import Device, Kind, of_kind

HEADINGS: tuple[tuple[Kind, str], ...] = (
    ("microphone", "Microphones (--mic)"),
    ("speaker", "Loudspeakers (--speaker)"),
)


def lines(devices: Sequence[Device], width: int) -> list[str]:
    """A line for each device, in columns; where these do not fit into `width`, three under each other."""
    rows = {kind: [_row(i, d) for i, d in enumerate(of_kind(devices, kind))] for kind, _ in HEADINGS}
    widths = [
        max(map(len, column)) for column in zip(*(row for of in rows.values() for row in of), strict=True)
    ]
    wide = sum(widths) + 2 * len(widths) <= width
    told = []
    for kind, heading in HEADINGS:
        told.append(heading if rows[kind] else f"{heading}: none")
        for row in rows[kind]:
            told += [_in_columns(row, widths)] if wide else _stacked(row)
    return told


def values(devices: Sequence[Device]) -> dict[str, list[dict[str, object]]]:
    """For JSON, by kind. `channels` and `rate_hz` are null where the system does not say."""
    return {
        f"{kind}s": [
            {
                "index": index,
                "name": device.name,
                "id": device.id,
                "channels": device.channels,
                "rate_hz": device.rate_hz,
                "default": device.default,
                "loopback": device.monitor,
            }
            for index, device in enumerate(of_kind(devices, kind))
        ]
        for kind, _ in HEADINGS
    }


def _row(index: int, device: Device) -> tuple[str, ...]:
    marks = [mark for mark, there in (("default", device.default), ("loopback", device.monitor)) if there]
    channels = f"{device.channels or '?'} ch"
    rate = f"{device.rate_hz or '?'} Hz"
    return str(index), device.name, device.id, channels, rate, ", ".join(marks)


def _in_columns(row: Sequence[str], widths: Sequence[int]) -> str:
    index, name, id, channels, rate, marks = row
    index_width, name_width, id_width, channels_width, rate_width, _ = widths
    return (
        f"  {index:>{index_width}}  {name:<{name_width}}  {id:<{id_width}}"
        f"  {channels:>{channels_width}}  {rate:>{rate_width}}  {marks}"
    ).rstrip()


def _stacked(row: Sequence[str]) -> list[str]:
    index, name, id, *facts = row
    return [f"{index:>3}  {name}", f"     {id}", f"     {', '.join(filter(None, facts))}"]
