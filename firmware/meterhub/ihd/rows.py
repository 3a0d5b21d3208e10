"""Text broken into rows.

Runs on  both
"""


def rows(text: str, cells: int, width=len) -> list:
    """Break `text` between its words into rows of at most `cells`; width(text): how many cells a text takes.

    A word that is longer than a row is cut, after a hyphen where it has one.
    """
    found = []
    row = ""
    for word in text.split():
        longer = row + " " + word if row else word
        if width(longer) <= cells:
            row = longer
            continue
        if row:
            found.append(row)
        row = word
        while len(row) > 1 and width(row) > cells:
            cut = _fitting(row, cells, width)
            found.append(row[:cut])
            row = row[cut:]
    if row:
        found.append(row)
    return found


def _fitting(word, cells, width):
    count = 1
    while width(word[: count + 1]) <= cells:
        count += 1
    return word.rfind("-", 0, count) + 1 or count
