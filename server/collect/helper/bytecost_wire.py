"""JSON without the json package: nothing that the target can have replaced is called."""

from _json import encode_basestring_ascii


def encode(value):
    """JSON text of None, bool, int, float, str, bytes (as hexadecimal), list, tuple and dict."""
    out = []
    write(value, out.append)
    return "".join(out)


def write(value, put):
    kind = type(value)
    if kind is str:
        try:
            value.encode()
        except UnicodeEncodeError:  # lone surrogates, from file names: no JSON reader takes them
            value = value.encode("utf-8", "backslashreplace").decode()
        put(encode_basestring_ascii(value))
    elif kind is bytes:
        put(f'"{value.hex()}"')
    elif value is None:
        put("null")
    elif kind is bool:
        put("true" if value else "false")
    elif kind is int or kind is float:
        put(repr(value))
    elif kind is Numbers:
        put(repr(value.values))
    elif kind is Text:
        put(value.text)
    elif kind is dict:
        put("{")
        comma = ""
        for key, item in value.items():
            name = f'"{key}"' if type(key) is int else encode_basestring_ascii(str(key))
            if type(item) is int:  # most of what there is
                put(f"{comma}{name}:{item}")
            else:
                put(f"{comma}{name}:")
                write(item, put)
            comma = ","
        put("}")
    elif kind is list and all_text(value):
        put(f"[{','.join([encode_basestring_ascii(item) for item in value])}]")
    elif kind is list or kind is tuple:
        put("[")
        comma = ""
        for item in value:
            if comma:
                put(comma)
            write(item, put)
            comma = ","
        put("]")
    else:
        write(str(value), put)


def all_text(items):
    """Whether a list holds nothing but str without lone surrogates."""
    try:
        "".join(items).encode()
    except (TypeError, UnicodeEncodeError):
        return False
    return bool(items)


class Numbers:
    """A list known to hold only ints: written in one step."""

    def __init__(self, values):
        self.values = values


class Text:
    """JSON already, for what there is a lot of."""

    def __init__(self, text):
        self.text = text
