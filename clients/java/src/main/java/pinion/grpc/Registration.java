package pinion.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Duration;
import io.grpc.Metadata;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.stub.MetadataUtils;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import pinion.registry.v1.RegistryGrpc;
import pinion.registry.v1.RegistryOuterClass.DeregisterInstanceRequest;
import pinion.registry.v1.RegistryOuterClass.PublishVersionRequest;
import pinion.registry.v1.RegistryOuterClass.RegisterInstanceRequest;
import pinion.registry.v1.RegistryOuterClass.RenewInstanceRequest;
import pinion.routing.v1.Routing;

/** A server's place in the registry, kept under a lease by a thread of its own from start() to end(). */
final class Registration {
  private static final Metadata.Key<String> ACTOR = Metadata.Key.of("pinion-actor", Metadata.ASCII_STRING_MARSHALLER);
  private static final long CALL_MILLIS = 10_000;
  private static final long FAREWELL_MILLIS = 3_000;
  private static final long RETRY_MILLIS = 1_000;
  private static final int RENEWALS_PER_LEASE = 3;
  // A renewal may take a quarter of the lease, so that two that hang leave time for a third.
  private static final int RENEWAL_TIMEOUTS_PER_LEASE = 4;
  // With these another try can succeed although nothing is changed here.
  private static final Set<Status.Code> MAY_PASS =
      Set.of(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED, Status.Code.ABORTED, Status.Code.RESOURCE_EXHAUSTED);

  private final RegistryGrpc.RegistryBlockingStub registry;
  private final RegisterInstanceRequest request;
  private final PinionServer.Builder server;
  private final Logger logger = Logger.getLogger("pinion");
  private final long leaseMillis;
  private final CountDownLatch end = new CountDownLatch(1);
  private final Thread thread = new Thread(this::keep, "pinion registration");
  private Runnable onRefusal;
  // Of the thread, and of end()'s after it.
  private PublishVersionRequest toPublish; // null: nothing, or it is done
  private String uid = ""; // empty: not registered
  private boolean known; // registered once
  private String lastError = ""; // what was logged last, so that an outage is one line
  private volatile RuntimeException refusal;

  /** Throws IllegalArgumentException when the address is none that gateways could call. */
  Registration(PinionServer.Builder server) {
    this.server = server;
    Metadata headers = new Metadata();
    if (!server.actor.isEmpty()) headers.put(ACTOR, server.actor);
    registry = RegistryGrpc.newBlockingStub(server.registry).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    leaseMillis = server.lease.toMillis();
    request = RegisterInstanceRequest.newBuilder()
        .setInstance(Routing.Instance.newBuilder().setService(server.service).setVersion(server.version)
            .setAddress(parseAddress(server.address)).setTlsName(server.tlsName).setWeight(server.weight).setZone(server.zone))
        .setLeaseTtl(Duration.newBuilder().setSeconds(leaseMillis / 1000).setNanos((int) (leaseMillis % 1000) * 1_000_000))
        .setOwner(server.owner).build();
    thread.setDaemon(true);
  }

  static Routing.Address parseAddress(String text) {
    if (text.startsWith("unix:")) {
      return Routing.Address.newBuilder().setPipe(Routing.Pipe.newBuilder().setPath(text.substring("unix:".length()))).build();
    }
    int colon = text.lastIndexOf(':');
    String host = text.substring(0, Math.max(colon, 0)).replaceAll("^\\[|\\]$", "");
    String port = text.substring(colon + 1);
    if (host.isEmpty() || !port.matches("\\d{1,5}")) {
      throw new IllegalArgumentException("address: `" + text + "` is neither HOST:PORT nor unix:PATH");
    }
    if (host.equals("0.0.0.0") || host.equals("::")) {
      throw new IllegalArgumentException("address: `" + text + "` is every address of this machine; say the one that gateways reach "
          + "it at");
    }
    return Routing.Address.newBuilder()
        .setSocketAddress(Routing.SocketAddress.newBuilder().setAddress(host).setPortValue(Integer.parseInt(port))).build();
  }

  /** A FileDescriptorSet of these services with all that they import, each file after its imports. */
  static FileDescriptorSet descriptorSet(List<ServiceDescriptor> services) {
    FileDescriptorSet.Builder set = FileDescriptorSet.newBuilder();
    Set<String> seen = new HashSet<>();
    for (ServiceDescriptor service : services) {
      if (!(service.getSchemaDescriptor() instanceof ProtoFileDescriptorSupplier supplier)) {
        throw new IllegalArgumentException(service.getName() + " has no protobuf descriptor");
      }
      add(supplier.getFileDescriptor(), seen, set);
    }
    return set.build();
  }

  private static void add(FileDescriptor file, Set<String> seen, FileDescriptorSet.Builder set) {
    if (!seen.add(file.getFullName())) return;
    for (FileDescriptor imported : file.getDependencies()) add(imported, seen, set);
    set.addFile(file.toProto());
  }

  /** Before start(): what to publish. Throws IllegalArgumentException when a service has no protobuf descriptor. */
  void publish(List<ServiceDescriptor> services) {
    PublishVersionRequest.Builder version = PublishVersionRequest.newBuilder().setService(server.service).setName(server.version)
        .setDescriptorSet(ByteString.copyFrom(descriptorSet(services).toByteArray())).setNotes(server.notes).setOwner(server.owner);
    for (ServiceDescriptor service : services) version.addGrpcServices(service.getName());
    toPublish = version.build();
  }

  /** `onRefusal` is called from the thread, which end() waits for, when there is a refusal(). */
  void start(Runnable onRefusal) {
    this.onRefusal = onRefusal;
    thread.start();
  }

  /** Why the registry does not have this server at all, or what `onRegistered` has thrown; null when it has, or has not said yet. */
  RuntimeException refusal() {
    return refusal;
  }

  /** Takes the server out of routing. Whatever becomes of that, its lease ends by itself. */
  void end() throws InterruptedException {
    end.countDown();
    thread.join();
    if (uid.isEmpty()) return;
    try {
      within(FAREWELL_MILLIS).deregisterInstance(DeregisterInstanceRequest.newBuilder().setUid(uid).build());
    } catch (StatusRuntimeException error) {
      logger.log(Level.WARNING, "could not deregister; the lease ends by itself: {0}", error.getMessage());
    }
    uid = "";
  }

  private RegistryGrpc.RegistryBlockingStub within(long millis) {
    return registry.withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
  }

  private void keep() {
    long due = System.nanoTime();
    try {
      while (!end.await(due - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        long begun = System.nanoTime();
        long wait = leaseMillis / RENEWALS_PER_LEASE;
        try {
          publishIfTold();
          renewOrRegister();
          known = true;
          report(null);
        } catch (StatusRuntimeException error) {
          if (!known && !MAY_PASS.contains(error.getStatus().getCode())) {
            refuse(error);
            return;
          }
          report(error);
          wait = Math.min(leaseMillis / RENEWAL_TIMEOUTS_PER_LEASE, RETRY_MILLIS);
        } catch (RuntimeException error) { // the program's own: its server must not go on with a lease that nobody renews
          refuse(error);
          return;
        }
        due = begun + TimeUnit.MILLISECONDS.toNanos(wait);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void refuse(RuntimeException error) {
    refusal = error;
    onRefusal.run();
  }

  private void publishIfTold() {
    if (toPublish == null) return;
    within(CALL_MILLIS).publishVersion(toPublish);
    toPublish = null;
  }

  private void renewOrRegister() {
    if (!uid.isEmpty()) {
      try {
        long timeout = Math.min(leaseMillis / RENEWAL_TIMEOUTS_PER_LEASE, CALL_MILLIS);
        within(timeout).renewInstance(RenewInstanceRequest.newBuilder().setUid(uid).build());
        return;
      } catch (StatusRuntimeException error) {
        if (error.getStatus().getCode() != Status.Code.NOT_FOUND) throw error;
        uid = ""; // the lease has expired, for instance while this machine slept
      }
    }
    uid = within(CALL_MILLIS).registerInstance(request).getInstance().getInstance().getUid();
    server.onRegistered.accept(uid);
  }

  // With the cause, where gRPC only says `io exception`.
  private static String describe(StatusRuntimeException error) {
    return error.getCause() == null ? error.getMessage() : error.getMessage() + ": " + error.getCause().getMessage();
  }

  private void report(StatusRuntimeException error) {
    String text = error == null ? "" : describe(error);
    // Failures of one outage differ in the times and ports that they tell, and those of deadlines in where the time went.
    boolean late = error != null && error.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED;
    String same = late ? "late" : text.replaceAll("\\d+", "");
    if (same.equals(lastError)) return;
    lastError = same;
    if (error == null) {
      logger.log(Level.INFO, "the registry has this server again, as {0}", uid);
    } else {
      String what = Refusal.from(error).isPresent() ? "the registry refuses this server" : "the registry does not answer";
      logger.log(Level.WARNING, "{0}; trying again: {1}", new Object[] {what, text});
    }
  }
}
