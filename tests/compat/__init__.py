"""`pinion schema check` on the corpus of tests/compat_corpus."""
