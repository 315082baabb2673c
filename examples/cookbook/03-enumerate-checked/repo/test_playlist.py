import unittest

import playlist

SONGS = ["So What", "Blue in Green", "All Blues"]


class PlaylistTest(unittest.TestCase):
    def test_numbered(self):
        self.assertEqual(playlist.numbered(SONGS), ["1. So What", "2. Blue in Green", "3. All Blues"])

    def test_position(self):
        self.assertEqual([playlist.position(SONGS, "All Blues"), playlist.position(SONGS, "x")], [2, -1])
