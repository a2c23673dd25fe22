"""Read a document with Python's own parser and say what is wrong with it: one line each."""

import re
import sys
import unicodedata
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img"}
# Attributes that make a browser fetch something, and what is no fetch.
FETCHING = {"src", "href", "srcset", "data", "action", "formaction", "poster", "background", "cite", "ping"}
LOCAL = re.compile(r"#|data:,$")


class Document(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.seen = [], [], []
        self.declarations, self.ids = [], set()

    def handle_decl(self, decl):
        self.declarations.append(decl)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.wrong.append(f"{tag} has a handler: {name}")
            if name == "style":
                self.wrong.append(f"{tag} has a style of its own")
            if name in FETCHING and not LOCAL.match(value or ""):
                self.wrong.append(f"{tag} points outside: {name}={value!r}")
            if name == "id":
                if value in self.ids:
                    self.wrong.append(f"the name {value} is used twice")
                self.ids.add(value)
        if len({name for name, _ in attrs}) != len(attrs):
            self.wrong.append(f"{tag} has an attribute twice")
        for name, value in attrs:
            if name in ("aria-labelledby", "aria-describedby", "for"):
                self.wanted = getattr(self, "wanted", []) + value.split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID or not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> ends nothing")

    def handle_data(self, data):
        if self.open and self.open[-1] in ("style", "script") and re.search(r"https?:|//[a-z]+\.|url\(|@import", data):
            found = re.search(r"https?:|//[a-z]+\.|url\(|@import", data)
            if "application/json" not in self.get_starttag_text():
                self.wrong.append(f"{self.open[-1]} points outside: {found.group()}")

    def handle_comment(self, data):
        self.wrong.append(f"a comment: {data[:40]!r}")


text = open(sys.argv[1], encoding="utf-8", newline="").read()
document = Document()
document.feed(text)
document.close()
wrong = document.wrong
if document.declarations != ["doctype html"]:
    wrong.append(f"doctypes: {document.declarations}")
if document.open:
    wrong.append(f"never ended: {document.open}")
for tag, number in {"script": 2, "style": 1, "title": 1, "h1": 1, "main": 1, "img": 0, "iframe": 0, "base": 0}.items():
    if document.seen.count(tag) != number:
        wrong.append(f"{document.seen.count(tag)} {tag} elements")
for name in getattr(document, "wanted", []):
    if name not in document.ids:
        wrong.append(f"nothing has the name {name}")
for character in sorted(set(text)):
    if character not in "\n\t" and (
        unicodedata.category(character) in ("Cc", "Zl", "Zp")
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    ):
        wrong.append(f"the character U+{ord(character):04X}")
print("\n".join(wrong))
