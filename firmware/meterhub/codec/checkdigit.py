"""One check digit that catches every single wrong digit and nearly every swap of neighbours.

Source   ISO/IEC 7064 MOD 11,10 (hybrid system): digits 0-9, check digit 0-9.
Errors   ValueError for what is no digits (append); valid() just says False.
Runs on  both
"""


def _product(digits):
    product = 10
    for digit in digits:
        if digit not in "0123456789":  # isdigit() and int() take other scripts' digits too
            raise ValueError("not a digit")
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return product


def append(digits: str) -> str:
    """Return `digits` with their check digit behind; ValueError when there is anything but 0-9 in them."""
    return digits + str((11 - _product(digits)) % 10)


def valid(digits: str) -> bool:
    """Return whether `digits`, at least two of them, end in their check digit."""
    try:
        # the check digit brings the running sum to 1 mod 10, so the last product is 2
        return len(digits) > 1 and _product(digits) == 2
    except ValueError:
        return False
