package pinion.grpc;

import io.grpc.Channel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A version's server that publishes and registers itself, and leaves in good order. A registry that is away only delays that,
 * and calls are served meanwhile; one that refuses ends the server.
 */
public final class PinionServer implements AutoCloseable {
  private final Server server;
  private final HealthStatusManager health;
  private final Registration registration;
  private final Duration drain;
  private boolean closed;

  private PinionServer(Server server, HealthStatusManager health, Registration registration, Duration drain) {
    this.server = server;
    this.health = health;
    this.registration = registration;
    this.drain = drain;
  }

  /**
   * To begin with.
   *
   * @param server with the services of the API, and with neither health nor reflection, which are added
   * @param registry a channel to the registry, with whatever credentials it wants
   * @param service the registry's name, such as {@code addressbook}
   * @param version the API version that the server serves
   */
  public static Builder newBuilder(ServerBuilder<?> server, Channel registry, String service, String version) {
    return new Builder(server, registry, service, version);
  }

  /** What a server is started with. */
  public static final class Builder {
    private final ServerBuilder<?> server;
    final Channel registry;
    final String service;
    final String version;
    String address = "";
    String notes = "";
    String tlsName = "";
    int weight;
    String zone = "";
    String owner = "";
    String actor = "";
    Duration lease = Duration.ofSeconds(15);
    Consumer<String> onRegistered = uid -> {};
    private String host = "";
    private boolean publish;
    private Duration drain = Duration.ofSeconds(30);

    private Builder(ServerBuilder<?> server, Channel registry, String service, String version) {
      this.server = server;
      this.registry = registry;
      this.service = service;
      this.version = version;
    }

    /** Where gateways reach this machine; the port is the server's own. */
    public Builder host(String name) {
      host = name;
      return this;
    }

    /** host:port that gateways reach the server at, or unix:PATH; instead of host(). */
    public Builder address(String text) {
      address = text;
      return this;
    }

    /**
     * Also publishes the version, with the descriptors of the server's services. It is the same request each time, so that any number of
     * servers may make it; a schema that differs from what was published before is refused.
     */
    public Builder publish() {
      publish = true;
      return this;
    }

    /** Of the version that is published. */
    public Builder notes(String text) {
      notes = text;
      return this;
    }

    /** To be called with TLS, under this name. */
    public Builder tlsName(String name) {
      tlsName = name;
      return this;
    }

    /** 1 unless set. */
    public Builder weight(int weight) {
      this.weight = weight;
      return this;
    }

    /** Where it runs. */
    public Builder zone(String name) {
      zone = name;
      return this;
    }

    /** Whom it belongs to. */
    public Builder owner(String name) {
      owner = name;
      return this;
    }

    /** Who makes the changes, for a registry that does not know by the channel's credentials. */
    public Builder actor(String name) {
      actor = name;
      return this;
    }

    /** 15 s unless set; 1 s to 24 h. Renewed three times within that time. */
    public Builder lease(Duration ttl) {
      lease = ttl;
      return this;
    }

    /** How long calls may go on after close(); 30 s unless set. */
    public Builder drain(Duration time) {
      drain = time;
      return this;
    }

    /** Is called with the uid of each registration: the first, and those after a lease had expired. */
    public Builder onRegistered(Consumer<String> notify) {
      onRegistered = Objects.requireNonNull(notify);
      return this;
    }

    /**
     * Starts the server, and begins to publish, if told to, and to register.
     *
     * @throws IllegalArgumentException gateways could not call the address, or a service has no descriptor to publish
     */
    public PinionServer start() throws IOException {
      HealthStatusManager health = new HealthStatusManager();
      Server started = server.addService(health.getHealthService()).addService(ProtoReflectionServiceV1.newInstance()).build().start();
      try {
        if (address.isEmpty()) address = host + ":" + started.getPort();
        List<ServiceDescriptor> services = started.getServices().stream().map(ServerServiceDefinition::getServiceDescriptor)
            .filter(descriptor -> !descriptor.getName().startsWith("grpc.")).toList();
        Registration registration = new Registration(this);
        if (publish) registration.publish(services);
        services.forEach(descriptor -> health.setStatus(descriptor.getName(), ServingStatus.SERVING));
        PinionServer made = new PinionServer(started, health, registration, drain);
        // Not on the registration's own thread, whose end close() waits for.
        registration.start(() -> new Thread(made::close, "pinion end").start());
        return made;
      } catch (RuntimeException failed) {
        started.shutdownNow();
        throw failed;
      }
    }
  }

  /** The port that the server listens on. */
  public int getPort() {
    return server.getPort();
  }

  /**
   * Waits until close(), or until the registry has refused the server.
   *
   * @throws StatusRuntimeException that refusal
   * @throws RuntimeException what {@code onRegistered} has thrown, which ends the server too
   */
  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
    if (registration.refusal() != null) throw registration.refusal();
  }

  /** Says NOT_SERVING, deregisters, waits for open calls, ends. For {@code Runtime.addShutdownHook}, too. */
  @Override
  public synchronized void close() {
    if (closed) return;
    closed = true;
    try {
      health.enterTerminalState();
      registration.end();
      server.shutdown();
      if (!server.awaitTermination(drain.toMillis(), TimeUnit.MILLISECONDS)) server.shutdownNow().awaitTermination();
    } catch (InterruptedException interrupted) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
