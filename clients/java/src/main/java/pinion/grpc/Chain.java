package pinion.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Pins for a whole chain of calls. A pin holds for one hop: the gateway takes the header that asks for a version out of what it
 * forwards. Pins for a chain travel beside it, in metadata of the header's name and {@code -context}:
 * {@code acme.people.People=^2, acme.billing.Billing=1.4.0}.
 */
public final class Chain {
  static final String DEFAULT_HEADER = "api-version";
  private static final int BYTES_MAX = 4096;
  private static final Context.Key<Map<String, String>> PINS = Context.keyWithDefault("pinion-pins", Map.of());

  private Chain() {}

  /**
   * A context with these pins, by gRPC service, beside those of the current one. Channels whose interceptor passes on follow them, and
   * so do the servers behind these that have the interceptor below and pass on as well.
   */
  public static Context withPins(Map<String, String> pins) {
    return withPins(Context.current(), pins);
  }

  /** The pins of the current context. */
  public static Map<String, String> pins() {
    return PINS.get();
  }

  /** {@link #serverInterceptor(String)} for the header {@code api-version}. */
  public static ServerInterceptor serverInterceptor() {
    return serverInterceptor(DEFAULT_HEADER);
  }

  /**
   * Takes the pins that a caller has passed on into the context of handlers. A malformed list is refused with INVALID_ARGUMENT.
   *
   * @param header the gateway's
   */
  public static ServerInterceptor serverInterceptor(String header) {
    Metadata.Key<String> key = key(header);
    return new ServerInterceptor() {
      @Override
      public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        Iterable<String> received = headers.getAll(key);
        if (received == null) return next.startCall(call, headers);
        try {
          String text = StreamSupport.stream(received.spliterator(), false).collect(Collectors.joining(","));
          return Contexts.interceptCall(withPins(Context.current(), parse(text)), call, headers, next);
        } catch (IllegalArgumentException malformed) {
          String problem = "the metadata `" + key.name() + "` is malformed: " + malformed.getMessage();
          call.close(Status.INVALID_ARGUMENT.withDescription(problem), new Metadata());
          return new ServerCall.Listener<>() {};
        }
      }
    };
  }

  static Metadata.Key<String> key(String header) {
    return Metadata.Key.of(header + "-context", Metadata.ASCII_STRING_MARSHALLER);
  }

  private static Context withPins(Context context, Map<String, String> pins) {
    Map<String, String> all = new TreeMap<>(PINS.get(context));
    all.putAll(pins);
    return context.withValue(PINS, Collections.unmodifiableMap(all));
  }

  /** Throws IllegalArgumentException, which says what is malformed. */
  static Map<String, String> parse(String text) {
    if (text.length() > BYTES_MAX) throw new IllegalArgumentException(text.length() + " bytes, the limit is " + BYTES_MAX);
    Map<String, String> pins = new TreeMap<>();
    for (String entry : text.split(",", -1)) {
      String[] parts = entry.strip().split("=", 2);
      if (parts.length < 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
        throw new IllegalArgumentException("`" + entry + "` is not SERVICE=EXPRESSION");
      }
      pins.put(parts[0], parts[1]);
    }
    return pins;
  }

  /**
   * The text as metadata can hold it, with {@code ?} for the rest: whoever reads it then refuses it as malformed, where gRPC would send
   * something else.
   */
  static String sendable(String text) {
    return text.replaceAll("[^ -~]", "?");
  }

  static String format(Map<String, String> pins) {
    return new TreeMap<>(pins).entrySet().stream().map(pin -> pin.getKey() + "=" + pin.getValue()).collect(Collectors.joining(", "));
  }
}
