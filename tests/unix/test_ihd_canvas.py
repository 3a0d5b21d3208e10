"""Drawing into the frame."""

import unittest

from meterhub.ihd.canvas import Canvas, text_width
from meterhub.ihd.glyphs import BIG


def fresh(width=32, height=32):
    return Canvas(width, height, bytearray(width * height // 8))


def picture(canvas, width, height):
    rows = []
    for y in range(height):
        bits = [canvas.buffer[y // 8 * canvas.width + x] >> (y % 8) & 1 for x in range(width)]
        rows.append("".join("#" if bit else "." for bit in bits))
    return rows


class CanvasTest(unittest.TestCase):
    def test_a_small_glyph_is_drawn_at_any_height(self):
        for y in (0, 3, 9, 24):
            canvas = fresh()
            self.assertEqual(canvas.text(1, y, "A"), 7)
            rows = picture(canvas, 7, 32)
            wanted = ["...#...", "..#.#..", ".#...#.", ".#...#.", ".#####.", ".#...#.", ".#...#."]
            self.assertEqual(rows[y : y + 7], wanted)
            self.assertEqual(sum([row.count("#") for row in rows]), sum([row.count("#") for row in wanted]))

    def test_what_lies_outside_is_cut_off(self):
        canvas = fresh()
        canvas.text(-3, 28, "WWWWWWWW")
        canvas.big(20, 20, "888")
        canvas.double(25, 25, "gg")
        canvas.box(30, 30, 9, 9)
        self.assertEqual(len(canvas.buffer), 128)
        self.assertEqual(picture(canvas, 32, 32)[31][30:], "##")

    def test_widths_are_those_drawn(self):
        canvas = fresh(128, 32)
        for text in ("", "A", "Green Co-op", "€0.66/h", "–"):
            self.assertEqual(text_width(text), max(0, canvas.text(0, 0, text) - 1))

    def test_big_digits_are_twenty_pixels_high(self):
        for digit in "0123456789":
            canvas = fresh()
            canvas.big(0, 0, digit)
            lit = [y for y, row in enumerate(picture(canvas, 32, 32)) if "#" in row]
            self.assertEqual((lit[0], lit[-1], len(lit)), (0, 19, BIG[1]))

    def test_bold_closes_no_opening(self):
        canvas = fresh()
        canvas.bold(0, 0, "m")
        self.assertEqual(picture(canvas, 7, 4)[3], "#.#.##.")
        canvas.clear()
        canvas.bold(0, 0, "n")
        self.assertEqual(picture(canvas, 6, 4)[3], "##.##.")

    def test_doubling_smooths_stairs_and_keeps_edges(self):
        canvas = fresh()
        canvas.double(0, 0, "/")
        rows = picture(canvas, 10, 14)
        self.assertEqual(rows[0], ".........#")
        self.assertTrue("###" in rows[3] + rows[4])  # a step of the stairs is filled
        canvas.clear()
        canvas.double(0, 0, "D")
        self.assertEqual(picture(canvas, 10, 1)[0][:2], "##")

    def test_inverting_twice_changes_nothing(self):
        canvas = fresh()
        canvas.text(0, 5, "Ag")
        before = bytes(canvas.buffer)
        for y, height in ((0, 9), (5, 9), (8, 8), (3, 29), (7, 1)):
            canvas.invert(2, y, 11, height)
            self.assertNotEqual(bytes(canvas.buffer), before)
            lit = picture(canvas, 32, 32)
            canvas.invert(2, y, 11, height)
            self.assertEqual(bytes(canvas.buffer), before)
            rest = picture(canvas, 32, 32)
            for row in range(32):
                same = lit[row] == rest[row]
                self.assertEqual(same, not y <= row < y + height)

    def test_accents_without_a_glyph_are_left_out_and_the_unknown_is_a_question_mark(self):
        canvas, other = fresh(128, 8), fresh(128, 8)
        canvas.text(0, 0, "Ásà漢")
        other.text(0, 0, "Asa?")
        self.assertEqual(canvas.buffer, other.buffer)

    def test_clear_leaves_nothing(self):
        canvas = fresh()
        canvas.box(0, 0, 32, 22)
        canvas.clear()
        self.assertEqual(bytes(canvas.buffer), bytes(128))


if __name__ == "__main__":
    unittest.main()
