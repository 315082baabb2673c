import unittest

from library import loans, readers


class LibraryTest(unittest.TestCase):
    def test_a_book_is_lent_once(self):
        lent = []
        loans.borrow(lent, "Emma", "Ada")
        self.assertFalse(loans.is_free(lent, "Emma"))
        with self.assertRaises(ValueError):
            loans.borrow(lent, "Emma", "Ben")
        loans.give_back(lent, "Emma")
        self.assertTrue(loans.is_free(lent, "Emma"))

    def test_readers_are_registered_once(self):
        known = {}
        first = readers.register(known, "Ada")
        self.assertIs(readers.register(known, "Ada"), first)
        readers.block(known, "Ada")
        self.assertTrue(known["Ada"]["blocked"])
        self.assertEqual(readers.names(known), ["Ada"])
