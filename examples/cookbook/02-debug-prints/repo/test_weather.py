import contextlib
import io
import unittest

from weather import quiet, readings, report


class WeatherTest(unittest.TestCase):
    def test_results(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(readings.parse_line("Mon;4.5"), ("Mon", 4.5))
            self.assertEqual(readings.mean([1.0, 2.0]), 1.5)
            self.assertEqual(report.headline([4.5, 7.25]), "up to 7.2 degrees")
        self.assertEqual(quiet.clamp(5, 0, 3), 3)
