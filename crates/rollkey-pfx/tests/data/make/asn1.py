"""A dozen lines of DER, in plain Python: deliberately not the code that is being tested."""


def tlv(tag, *parts):
    content = b"".join(parts)
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def indefinite(tag, *parts):
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def seq(*parts):
    return tlv(0x30, *parts)


def octets(content):
    return tlv(0x04, content)


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    content = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return tlv(0x06, content)


def algorithm(dotted, parameters=b"\x05\0"):
    return seq(oid(dotted), parameters)


def parse(data):
    """The (tag, content) pairs of definite-length elements."""
    elements, at = [], 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            digits = length & 0x7F
            length = int.from_bytes(data[start : start + digits], "big")
            start += digits
        elements.append((tag, data[start : start + length]))
        at = start + length
    return elements


def open_pfx(pfx):
    """The parts of a file in DER: the encoding of its safes, and its MacData without tag."""
    fields = parse(parse(pfx)[0][1])
    holder = parse(fields[1][1])[1][1]
    safes = parse(holder)[0][1]
    return safes, fields[2][1] if len(fields) > 2 else None
