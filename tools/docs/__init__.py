"""Makes the documentation into a site, and the reference from the sources: `./dev docs`, or `python3 -m tools.docs FOLDER`."""
