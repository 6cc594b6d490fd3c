"""Reads a page as a browser would."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Collects what a browser would see: tags with attributes, and text outside scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.scripts, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.open.append(f"/{tag}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif not self.open or self.open[-1] != "style":
            self.text.append(data)
