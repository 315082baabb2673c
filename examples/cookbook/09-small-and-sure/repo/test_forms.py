import unittest

import forms


class FormsTest(unittest.TestCase):
    def test_forms(self):
        self.assertEqual(forms.missing({"name": "Ada"}, ["name", "town"]), ["town"])
        self.assertIsNone(forms.first_error(None))
        self.assertEqual(forms.first_error(["a", "b"]), "a")
        self.assertEqual([forms.label("n", {"n": "name"}), forms.label("x", {}), forms.label(None, {})], ["name", "x", ""])
        self.assertEqual(forms.join(["a", "b"]), "a, b")
