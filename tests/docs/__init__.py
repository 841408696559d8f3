"""The documentation, tried out: every command of every page is run, and every piece of configuration is read.

What a page says in comments of Markdown, which readers do not see:

    <!-- world: addressbook -->            what runs when the page begins: worlds.py lists the worlds
    <!-- not run: it needs a cluster -->   before a block: why the block after it cannot be tried here
    <!-- if installed: nginx -->           before a block: it is left out where this program is not
    <!-- file: gateway.yaml -->            before a block: it is written to this file
    <!-- runs on -->                       before a block: its one command goes on while the page does
    <!-- values of: charts/pinion -->      before a block: tests/charts renders the chart with these values
    <!-- setup: COMMANDS -->               run at this place; for what the page takes for granted
    <!-- ID stands for: COMMANDS -->       in the block after it, ID is replaced by what the commands print

A `console` block holds commands behind `$` and, under each, what it prints: each line of it must occur, in this order, with any
times, long numbers and ids, and `…` for anything. A command must succeed, unless what it prints begins with `pinion:`, or the line
says `# exit status N`. An `sh` block is run as a whole. A `yaml` block is read by `pinion validate` as a part of a configuration.
"""
