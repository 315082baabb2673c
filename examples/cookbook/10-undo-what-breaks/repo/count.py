"""Count words."""


def count_words(text):
    counts = {}
    for word in text.lower().split():
        print("word", word)
        counts[word] = counts.get(word, 0) + 1
    print(counts)
    return counts
