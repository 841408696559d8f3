package pinion.grpc;

import io.grpc.Metadata;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the gateway says about the version that answered a call.
 *
 * @param version its name
 * @param notice present when it is deprecated
 */
public record Response(String version, Optional<Notice> notice) {
  private static final Pattern SUCCESSOR = Pattern.compile("<([^>]*)>.*rel=\"successor-version\".*");

  /** Empty when the metadata names no version. */
  static Optional<Response> in(Metadata said, String grpcService, Metadata.Key<String> header) {
    String version = said.get(header);
    if (version == null) return Optional.empty();
    String deprecation = said.get(key("deprecation"));
    if (deprecation == null) return Optional.of(new Response(version, Optional.empty()));
    Notice notice = new Notice(grpcService, version, unixTime(deprecation), httpDate(said.get(key("sunset"))), successor(said));
    return Optional.of(new Response(version, Optional.of(notice)));
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private static Optional<Instant> unixTime(String text) {
    try {
      return Optional.of(Instant.ofEpochSecond(Long.parseLong(text.startsWith("@") ? text.substring(1) : text)));
    } catch (NumberFormatException | DateTimeException unreadable) {
      return Optional.empty();
    }
  }

  private static Optional<Instant> httpDate(String text) {
    try {
      return Optional.ofNullable(text).map(date -> Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date)));
    } catch (DateTimeException unreadable) {
      return Optional.empty();
    }
  }

  private static Optional<String> successor(Metadata said) {
    List<String> found = new ArrayList<>();
    Iterable<String> links = said.getAll(key("link"));
    if (links != null) {
      for (String link : links) {
        Matcher matcher = SUCCESSOR.matcher(link);
        if (matcher.matches()) found.add(matcher.group(1));
      }
    }
    return found.isEmpty() ? Optional.empty() : Optional.of(found.get(found.size() - 1));
  }
}
