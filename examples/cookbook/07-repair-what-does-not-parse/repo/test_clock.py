import unittest


class ClockTest(unittest.TestCase):
    def test_clock(self):
        import alarm
        import zones

        self.assertEqual(alarm.next_alarm("07:00", ["06:30", "08:15", "07:10"]), "07:10")
        self.assertIsNone(alarm.next_alarm("23:00", ["06:30"]))
        self.assertEqual(zones.local("22:30", "Delhi"), "03:30")
