"""The project's rules of style that a program can check. `./dev style` runs it; so does the test run."""
