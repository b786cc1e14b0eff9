"""Mandarin in writing and in sound: figures read aloud, characters as pinyin. Shared by hearing and speaking."""
