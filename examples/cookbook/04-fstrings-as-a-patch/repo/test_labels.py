import unittest

import labels


class LabelsTest(unittest.TestCase):
    def test_labels(self):
        self.assertEqual(labels.greeting("Ada"), "Dear Ada")
        self.assertEqual(labels.room(17), "Room 17")
        self.assertEqual(labels.parcel("4-b"), "No. 4-b")
