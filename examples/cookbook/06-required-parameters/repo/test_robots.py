import unittest

import robots


class RobotsTest(unittest.TestCase):
    def test_robots(self):
        robot = {"x": 0, "angle": 0, "clock": 0}
        robots.move(robot, 2)
        robots.turn(robot, angle=180)
        robots.wait(robot, 3)
        self.assertEqual(robot, {"x": 2, "angle": 180, "clock": 3})
