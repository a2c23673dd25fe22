"""A parser for JSON with comments, bare keys and trailing commas, written by hand."""

NUMBER = frozenset("+-0123456789.eE")
SPACE = frozenset(" \t\r\n,")
WORDS = {"true": True, "false": False, "null": None}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"'}


class JsonishError(ValueError):
    """What is wrong, and where (line and column, 1-based)."""

    def __init__(self, message, text, position):
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        super().__init__(f"{message} at {line}:{column}")


class Parser:
    """A recursive-descent parser over one text."""

    def __init__(self, text):
        self.text = text
        self.position = 0
        self.depth = 0

    # bytecost: Parser(sample(600)).parse()
    def parse(self):
        """The value of the whole text."""
        value = self.value()
        if self.peek() is not None:
            raise self.error("unexpected text after the value")
        return value

    def error(self, message):
        return JsonishError(message, self.text, self.position)

    def peek(self):
        """The next character that means something, or None at the end."""
        text, size = self.text, len(self.text)
        while self.position < size:
            char = text[self.position]
            if char in SPACE:
                self.position += 1
            elif char == "#":
                end = text.find("\n", self.position)
                self.position = size if end < 0 else end
            else:
                return char
        return None

    def value(self):
        char = self.peek()
        if char == "{":
            return self.nested(self.members)
        if char == "[":
            return self.nested(self.items)
        if char == '"':
            return self.string()
        if char is not None and char in NUMBER:
            return self.number()
        word = self.word()
        if word not in WORDS:
            raise self.error(f"unknown word {word!r}")
        return WORDS[word]

    def nested(self, read):
        self.position += 1
        self.depth += 1
        if self.depth > 200:
            raise self.error("nested too deeply")
        result = read()
        self.depth -= 1
        self.position += 1
        return result

    def members(self):
        members = {}
        while (char := self.peek()) != "}":
            if char is None:
                raise self.error("unfinished object")
            key = self.string() if char == '"' else self.word()
            if self.peek() != ":":
                raise self.error("expected a colon")
            self.position += 1
            members[key] = self.value()
        return members

    def items(self):
        items = []
        while (char := self.peek()) != "]":
            if char is None:
                raise self.error("unfinished array")
            items.append(self.value())
        return items

    def word(self):
        start = self.position
        while (char := self.text[self.position : self.position + 1]).isalnum() or char == "_":
            self.position += 1
        if start == self.position:
            raise self.error("expected a value")
        return self.text[start : self.position]

    def number(self):
        start = self.position
        while self.position < len(self.text) and self.text[self.position] in NUMBER:
            self.position += 1
        digits = self.text[start : self.position]
        try:
            return int(digits)
        except ValueError:
            return float(digits)

    def string(self):
        parts = []
        self.position += 1
        start = self.position
        while (char := self.text[self.position : self.position + 1]) != '"':
            if not char:
                raise self.error("unfinished string")
            if char == "\\":
                parts.append(self.text[start : self.position])
                parts.append(ESCAPES[self.text[self.position + 1]])
                self.position += 2
                start = self.position
            else:
                self.position += 1
        parts.append(self.text[start : self.position])
        self.position += 1
        return "".join(parts)


def sample(orders):
    """A text with that many orders, some of them with names beyond ASCII."""
    names = ("Ann", "José", "Zoë \\\"Z\\\"", "Łukasz", "李")
    rows = (
        f'  {{id: {i}, name: "{names[i % 5]}", paid: {"true" if i % 3 else "false"},\n'
        f'   lines: [{i * 3}, {i}.25, -{i}e2,], note: null}}, # order {i}'
        for i in range(orders)
    )
    return "[\n" + "\n".join(rows) + "\n]"


def main():
    orders = Parser(sample(600)).parse()
    print(len(orders), "orders,", sum(order["paid"] for order in orders), "paid")
    print("sum of lines:", sum(sum(order["lines"]) for order in orders))
    try:
        Parser('{"open": [1, 2').parse()
    except JsonishError as error:
        print("as it should:", error)


if __name__ == "__main__":
    main()
