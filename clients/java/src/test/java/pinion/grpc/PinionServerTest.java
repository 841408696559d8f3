package pinion.grpc;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import pinion.registry.v1.RegistryGrpc;
import pinion.registry.v1.RegistryOuterClass.DeregisterInstanceRequest;
import pinion.registry.v1.RegistryOuterClass.DeregisterInstanceResponse;
import pinion.registry.v1.RegistryOuterClass.RegisterInstanceRequest;
import pinion.registry.v1.RegistryOuterClass.RegisterInstanceResponse;
import pinion.registry.v1.RegistryOuterClass.RenewInstanceRequest;
import pinion.registry.v1.RegistryOuterClass.RenewInstanceResponse;

/** How a server stays in the registry and leaves it, with a registry that can be slow or refuse. */
public class PinionServerTest {
  private static final long MILLIS = 10_000;
  private static final long LEASE_SECONDS = 3;

  /** Remembers what it was asked, as "register", "renew", and "deregister" with what the server's health is then. */
  private static final class FakeRegistry extends RegistryGrpc.RegistryImplBase {
    final List<String> calls = new CopyOnWriteArrayList<>();
    final CountDownLatch mayRegister = new CountDownLatch(1);
    final CountDownLatch renewed = new CountDownLatch(1);
    volatile boolean refuses;
    volatile int hanging; // so many renewals are not answered
    volatile PinionServer registered;

    @Override
    public void registerInstance(RegisterInstanceRequest request, StreamObserver<RegisterInstanceResponse> observer) {
      calls.add("register");
      await(mayRegister);
      if (refuses) {
        observer.onError(Status.PERMISSION_DENIED.asRuntimeException());
        return;
      }
      RegisterInstanceResponse.Builder response = RegisterInstanceResponse.newBuilder();
      response.getInstanceBuilder().getInstanceBuilder().setUid("one");
      observer.onNext(response.build());
      observer.onCompleted();
    }

    @Override
    public void renewInstance(RenewInstanceRequest request, StreamObserver<RenewInstanceResponse> observer) {
      calls.add("renew");
      if (hanging-- > 0) return;
      renewed.countDown();
      observer.onNext(RenewInstanceResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void deregisterInstance(DeregisterInstanceRequest request, StreamObserver<DeregisterInstanceResponse> observer) {
      calls.add("deregister " + health(registered));
      observer.onNext(DeregisterInstanceResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  private final FakeRegistry registry = new FakeRegistry();
  private Server served;
  private ManagedChannel channel;

  @Before
  public void startRegistry() throws IOException {
    served = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).addService(registry).build().start();
    channel = channelTo(served.getPort());
  }

  @After
  public void stopRegistry() {
    channel.shutdownNow();
    served.shutdownNow();
  }

  private static ManagedChannel channelTo(int port) {
    return Grpc.newChannelBuilder("127.0.0.1:" + port, InsecureChannelCredentials.create()).build();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(MILLIS, TimeUnit.MILLISECONDS));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static ServingStatus health(PinionServer server) {
    ManagedChannel channel = channelTo(server.getPort());
    try {
      return HealthGrpc.newBlockingStub(channel).withDeadlineAfter(MILLIS, TimeUnit.MILLISECONDS)
          .check(HealthCheckRequest.getDefaultInstance()).getStatus();
    } finally {
      channel.shutdownNow();
    }
  }

  private PinionServer.Builder server() {
    return PinionServer.newBuilder(Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()), channel, "echo", "1.0.0")
        .host("127.0.0.1").lease(Duration.ofSeconds(LEASE_SECONDS)).drain(Duration.ofMillis(100));
  }

  @Test(timeout = MILLIS)
  public void twoRenewalsMayHangInAnOutageOfOneLine() throws Exception {
    List<LogRecord> lines = new CopyOnWriteArrayList<>();
    Logger logger = Logger.getLogger("pinion");
    logger.setFilter(line -> {
      lines.add(line);
      return false;
    });
    registry.hanging = 2;
    registry.mayRegister.countDown();
    long begun = System.nanoTime();
    try (PinionServer server = server().start()) {
      registry.registered = server;
      await(registry.renewed);
      assertTrue(System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(LEASE_SECONDS));
    }
    logger.setFilter(null);
    assertEquals(List.of("register", "renew", "renew", "renew", "deregister NOT_SERVING"), registry.calls);
    assertEquals(List.of(Level.WARNING, Level.INFO), lines.stream().map(LogRecord::getLevel).toList());
  }

  @Test(timeout = MILLIS)
  public void aRefusalWaitsForOpenStreamsNoLongerThanToldAndSaysNotServing() throws Exception {
    registry.refuses = true;
    List<ServingStatus> seen = new CopyOnWriteArrayList<>();
    CountDownLatch opened = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    PinionServer server = server().start();
    ManagedChannel caller = channelTo(server.getPort());
    HealthGrpc.newStub(caller).watch(HealthCheckRequest.getDefaultInstance(), new StreamObserver<>() {
      @Override
      public void onNext(HealthCheckResponse response) {
        seen.add(response.getStatus());
        opened.countDown();
      }

      @Override
      public void onError(Throwable error) {
        ended.countDown();
      }

      @Override
      public void onCompleted() {
        ended.countDown();
      }
    });
    await(opened);
    registry.mayRegister.countDown();
    StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, server::awaitTermination);
    assertEquals(Status.Code.PERMISSION_DENIED, refused.getStatus().getCode());
    await(ended);
    assertEquals(List.of(ServingStatus.SERVING, ServingStatus.NOT_SERVING), seen);
    server.close();
    caller.shutdownNow();
  }

  @Test(timeout = MILLIS)
  public void whatTheCallbackThrowsEndsItInGoodOrder() throws Exception {
    PinionServer server = server().onRegistered(uid -> {
      throw new IllegalStateException("of the program");
    }).start();
    registry.registered = server;
    registry.mayRegister.countDown();
    assertEquals("of the program", assertThrows(IllegalStateException.class, server::awaitTermination).getMessage());
    assertEquals(List.of("register", "deregister NOT_SERVING"), registry.calls);
  }
}
