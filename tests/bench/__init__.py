"""The comparison with other proxies that `./dev bench` prints."""
