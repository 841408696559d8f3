package pinion.grpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.logging.Logger;

/**
 * The caller's side: pins go out, versions and notices come back. Any number of channels and threads may share one.
 *
 * <p>The pin of a call is the first of: the option {@link #PIN}, the caller's own metadata, the pins of the {@link Chain}, the service's
 * pin, the default pin.
 */
public final class PinionInterceptor implements ClientInterceptor {
  /** Asks for a version in one call, whatever else is pinned: {@code stub.withOption(PinionInterceptor.PIN, "^2")}. */
  public static final CallOptions.Key<String> PIN = CallOptions.Key.create("pinion-pin");

  /** Is told which version answers, on the call's thread, before its first message: once at most, not at all when none does. */
  public static final CallOptions.Key<Consumer<Response>> RESOLVED = CallOptions.Key.create("pinion-resolved");

  private final Map<String, String> pins;
  private final String defaultPin;
  private final Metadata.Key<String> header;
  private final Metadata.Key<String> chain;
  private final boolean passOn;
  private final Notices notices;

  private PinionInterceptor(Builder builder) {
    pins = Map.copyOf(builder.pins);
    defaultPin = builder.defaultPin;
    header = Metadata.Key.of(builder.header, Metadata.ASCII_STRING_MARSHALLER);
    chain = Chain.key(builder.header);
    passOn = builder.passOn;
    notices = new Notices(builder.onDeprecation, builder.logger);
  }

  /** An interceptor without pins, to begin with. */
  public static Builder newBuilder() {
    return new Builder();
  }

  /** What an interceptor is made with. */
  public static final class Builder {
    private final Map<String, String> pins = new HashMap<>();
    private String defaultPin;
    private String header = Chain.DEFAULT_HEADER;
    private boolean passOn;
    private Consumer<Notice> onDeprecation = notice -> {};
    private Logger logger = Logger.getLogger("pinion");

    private Builder() {}

    /**
     * Asks for a version of one gRPC service, by its full name. The expression is a version's name, a range ({@code ^1.4}) or a channel
     * ({@code @stable}). It stands before the pin that the registry keeps for this consumer.
     */
    public Builder pin(String grpcService, String expression) {
      pins.put(grpcService, Objects.requireNonNull(expression));
      return this;
    }

    /** Asks for a version of every service that has no pin. */
    public Builder defaultPin(String expression) {
      defaultPin = expression;
      return this;
    }

    /** Names the metadata that pins are sent in and versions are told in, where the gateway's is not {@code api-version}. */
    public Builder header(String name) {
      header = name;
      return this;
    }

    /** Makes calls follow the pins of their context, see {@link Chain}, and hand all of them to the server that is called. */
    public Builder passOn() {
      passOn = true;
      return this;
    }

    /** Is called once for each different notice, on the thread of the call that brought it. */
    public Builder onDeprecation(Consumer<Notice> notify) {
      onDeprecation = notify;
      return this;
    }

    /** Gets a line then; the logger {@code pinion} unless set. */
    public Builder logger(Logger logger) {
      this.logger = logger;
      return this;
    }

    public PinionInterceptor build() {
      return new PinionInterceptor(this);
    }
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        addPins(headers, method.getServiceName(), options);
        super.start(new Told<>(listener, method.getServiceName(), options.getOption(RESOLVED)), headers);
      }
    };
  }

  void addPins(Metadata headers, String grpcService, CallOptions options) {
    Map<String, String> chained = passOn ? Chain.pins() : Map.of();
    if (!chained.isEmpty()) headers.put(chain, Chain.sendable(Chain.format(chained)));
    String pin = options.getOption(PIN);
    if (pin != null) headers.discardAll(header);
    if (pin == null && !headers.containsKey(header)) {
      pin = chained.getOrDefault(grpcService, pins.getOrDefault(grpcService, defaultPin));
    }
    if (pin != null) headers.put(header, Chain.sendable(pin));
  }

  /** Reads the first metadata that names a version: an answer without messages has it in its trailers. */
  private final class Told<R> extends SimpleForwardingClientCallListener<R> {
    private final String grpcService;
    private final Consumer<Response> resolved; // null: nobody asks, or it has been told

    private boolean told;

    Told(ClientCall.Listener<R> listener, String grpcService, Consumer<Response> resolved) {
      super(listener);
      this.grpcService = grpcService;
      this.resolved = resolved;
    }

    @Override
    public void onHeaders(Metadata headers) {
      tell(headers);
      super.onHeaders(headers);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      tell(trailers);
      super.onClose(status, trailers);
    }

    private void tell(Metadata said) {
      if (told) return;
      Response.in(said, grpcService, header).ifPresent(response -> {
        told = true;
        response.notice().ifPresent(notices::tell);
        if (resolved != null) resolved.accept(response);
      });
    }
  }
}
