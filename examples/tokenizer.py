"""Splits the text of a small language into tokens, and weighs them."""

from collections import Counter
from typing import NamedTuple

KEYWORDS = {"let", "if", "else", "while", "fn", "return"}
PAIRS = {"==", "!=", "<=", ">=", "->", "&&", "||"}


class Token(NamedTuple):
    kind: str
    text: str
    line: int
    column: int


class Reader:
    """A text with a position, counted in lines and columns."""

    __slots__ = ("text", "at", "line", "start")

    def __init__(self, text):
        self.text = text
        self.at = 0
        self.line = 1
        self.start = 0

    def char(self):
        """The character here, or an empty string at the end."""
        return self.text[self.at] if self.at < len(self.text) else ""

    def newline(self):
        self.at += 1
        self.line += 1
        self.start = self.at

    def token(self, kind, begin):
        return Token(kind, self.text[begin : self.at], self.line, begin - self.start + 1)


def identifier(reader):
    begin = reader.at
    while reader.char().isalnum() or reader.char() == "_":
        reader.at += 1
    token = reader.token("name", begin)
    return token._replace(kind="keyword") if token.text in KEYWORDS else token


def number(reader):
    begin, kind = reader.at, "integer"
    while (char := reader.char()).isdigit() or char == ".":
        if char == ".":
            kind = "decimal"
        reader.at += 1
    return reader.token(kind, begin)


def quoted(reader):
    begin = reader.at
    end = reader.text.find('"', begin + 1)
    if end < 0:
        raise SyntaxError(f"unfinished string in line {reader.line}")
    reader.at = end + 1
    return reader.token("string", begin)


def symbol(reader):
    begin = reader.at
    reader.at += 2 if reader.text[begin : begin + 2] in PAIRS else 1
    return reader.token("symbol", begin)


def tokens(text):
    """All tokens of the text, comments and spaces left out."""
    reader = Reader(text)
    while char := reader.char():
        match char:
            case "\n":
                reader.newline()
            case " " | "\t":
                reader.at += 1
            case "#":
                while reader.char() not in ("\n", ""):
                    reader.at += 1
            case '"':
                yield quoted(reader)
            case _ if char.isdigit():
                yield number(reader)
            case _ if char.isalpha() or char == "_":
                yield identifier(reader)
            case _:
                yield symbol(reader)


def weight(token):
    """A number by kind and shape; constants by their value."""
    match token:
        case Token("integer", text):
            return int(text)
        case Token("decimal", text):
            return float(text)
        case Token(kind="keyword"):
            return 10
        case Token("name", text, column=1):
            return len(text) * 2
        case Token("string", text) if not text.isascii():
            return len(text.encode())
        case Token(_, text):
            return len(text)


# bytecost: weigh(PROGRAM * 60)
def weigh(text):
    """How many tokens there are of each kind, and their weight together."""
    kinds = Counter()
    total = 0
    for token in tokens(text):
        kinds[token.kind] += 1
        total += weight(token)
    return kinds, total


PROGRAM = """
# the greatest common divisor
fn gcd(a, b) -> int {
    while b != 0 { let t = b; b = a % b; a = t }
    return a
}
let größe = 12.5 * gcd(84, 36)   # names may be of any alphabet
let naïve_name = "näive – «quoted»"
if größe >= 100 && gcd(7, 21) == 7 {
    print("large", größe)
} else {
    print("small", 3.25 + größe)
}
"""


def main():
    kinds, total = weigh(PROGRAM * 60)
    for kind, count in kinds.most_common():
        print(f"{kind:8} {count:5}")
    print(f"weight {total}")


if __name__ == "__main__":
    main()
