package example.greeter;

import java.util.Arrays;
import java.util.List;

/** {@code --name value} pairs of a command line. */
final class Arguments {
  private Arguments() {}

  static String get(String[] args, String name, String otherwise) {
    List<String> all = Arrays.asList(args);
    int at = all.indexOf(name);
    return at >= 0 && at + 1 < all.size() ? all.get(at + 1) : otherwise;
  }
}
