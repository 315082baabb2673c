import unittest

import ledger

ENTRIES = [5, -3, 8]


class LedgerTest(unittest.TestCase):
    def test_ledger(self):
        self.assertEqual(ledger.balance(ENTRIES), 10)
        self.assertEqual(ledger.incomes(ENTRIES), [5, 8])
        self.assertEqual(ledger.largest(ENTRIES), 8)
