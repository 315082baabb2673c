"""The commands of `seed`: parse, call, report; no logic of their own."""
