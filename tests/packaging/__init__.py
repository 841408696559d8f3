"""What is shipped: the container image's file system, and the Debian package."""
