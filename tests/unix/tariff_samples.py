"""Tariffs for the tests: a simple one, one of blocks, and all that there can be at once."""

LONDON = "GMT0BST,M3.5.0/1,M10.5.0"


def simple():
    return {
        "v": 1,
        "id": "eco-1",
        "currency": "GBP",
        "zone": LONDON,
        "kind": "linear",
        "interval_s": 1800,
        "scale": -5,
        "round": 2,
        "bands": [{"name": "night", "price": 7500}, {"name": "day", "price": 28500}],
        "days": [[0, 1, 30, 0, 450, 1]],
    }


def blocks():
    found = simple()
    found["kind"] = "block"
    found["bands"] = [{"name": "a", "prices": [5, -6, 7, 8], "limits": [1, 2, 2000000000]}, {"name": "b", "price": 9}]
    found["blocks"] = ["quarterly", 28, 12]
    return found


def largest():
    """All that there can be, at once."""
    found = simple()
    found["id"] = "x" * 32
    found["zone"] = "<+0130>-01:30<+0230>-02:30,M3.5.0/2:00:00,M10.5.0/3:00:00"
    found["interval_s"] = 900
    found["bands"] = [{"name": "band %03d" % i, "price": 1999999900 + i} for i in range(48)]
    found["export"] = [-2000000000 + i for i in range(48)]
    found["seasons"] = [[1, 1, 0], [2, 29, 1], [6, 30, 2], [12, 31, 3]]
    found["weeks"] = [[(i + j) % 16 for j in range(7)] for i in range(4)]
    found["days"] = [[(30 * (i // 2), (i // 2 + j) % 48)[i % 2] for i in range(96)] for j in range(16)]
    found["special"] = [[2020 + i, 1 + i % 12, 1 + i % 28, i % 16] for i in range(25)]
    found["special"] += [[1 + i % 12, 1 + i, i % 16] for i in range(25)]
    found["standing"] = {"price": 2000000000, "scale": -8}
    found["billing"] = ["yearly", 28, 12]
    found["tax_bp"] = 10000
    found["from"] = 4102444800
    return found
