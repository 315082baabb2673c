"""A list of songs."""


def numbered(songs):
    lines = []
    for i in range(len(songs)):
        lines.append(f"{i + 1}. {songs[i]}")
    return lines


def position(songs, wanted):
    for i in range(len(songs)):
        if songs[i] == wanted:
            return i
    return -1
