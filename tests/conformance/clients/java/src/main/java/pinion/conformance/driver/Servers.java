package pinion.conformance.driver;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import pinion.conformance.EchoGrpc;
import pinion.conformance.SayReply;
import pinion.conformance.SayRequest;
import pinion.grpc.Chain;
import pinion.grpc.PinionInterceptor;
import pinion.grpc.PinionServer;

/** Servers that publish and register themselves. */
final class Servers {
  private static final long SECONDS = 10;
  private static final Context.Key<Map<String, String>> RECEIVED = Context.key("received");

  private static final class Running {
    final BlockingQueue<Map<String, Object>> events = new LinkedBlockingQueue<>();
    ManagedChannel registry;
    PinionServer server;

    Map<String, Object> next() throws InterruptedException {
      Map<String, Object> event = events.poll(SECONDS, TimeUnit.SECONDS);
      return event == null ? Map.of("failure", "not registered in time") : event;
    }

    String address() {
      return "127.0.0.1:" + server.getPort();
    }
  }

  private final Map<String, Running> servers = new HashMap<>();

  private static final class Echo extends EchoGrpc.EchoImplBase {
    private final String version;

    Echo(String version) {
      this.version = version;
    }

    private SayReply reply(SayRequest request) {
      SayReply.Builder reply = SayReply.newBuilder().setVersion(version).putAllReceived(RECEIVED.get());
      if (request.getThroughCount() > 0) reply.setThrough(through(request));
      return reply.build();
    }

    private static SayReply through(SayRequest request) {
      ManagedChannel next = Grpc.newChannelBuilder(request.getThrough(0), InsecureChannelCredentials.create())
          .intercept(PinionInterceptor.newBuilder().passOn().build()).build();
      try {
        return EchoGrpc.newBlockingStub(next).withDeadlineAfter(SECONDS, TimeUnit.SECONDS)
            .say(SayRequest.newBuilder().addAllThrough(request.getThroughList().subList(1, request.getThroughCount())).build());
      } finally {
        next.shutdownNow();
      }
    }

    private void answer(SayRequest request, StreamObserver<SayReply> observer, int times) {
      try {
        SayReply reply = reply(request);
        for (int i = 0; i < times; i++) observer.onNext(reply);
        observer.onCompleted();
      } catch (StatusRuntimeException error) {
        observer.onError(error.getStatus().asRuntimeException());
      }
    }

    @Override
    public void say(SayRequest request, StreamObserver<SayReply> observer) {
      answer(request, observer, 1);
    }

    @Override
    public void later(SayRequest request, StreamObserver<SayReply> observer) {
      answer(request, observer, 1);
    }

    @Override
    public void repeat(SayRequest request, StreamObserver<SayReply> observer) {
      answer(request, observer, 2);
    }
  }

  // What came with a request.
  private static final ServerInterceptor RECEIVING = new ServerInterceptor() {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      Map<String, String> received = new HashMap<>();
      for (String name : headers.keys()) {
        if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) continue;
        received.put(name, String.join(", ", headers.getAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER))));
      }
      return Contexts.interceptCall(Context.current().withValue(RECEIVED, received), call, headers, next);
    }
  };

  Map<String, Object> serve(Command command) throws Exception {
    Running made = new Running();
    servers.put(command.as, made);
    made.registry = Grpc.newChannelBuilder(command.registry, Calls.credentials(command))
        .keepAliveTime(10, TimeUnit.SECONDS).keepAliveTimeout(3, TimeUnit.SECONDS).keepAliveWithoutCalls(true).build();
    ServerBuilder<?> program = ServerBuilder.forPort(0).addService(new Echo(command.version)).intercept(RECEIVING)
        .intercept(Chain.serverInterceptor());
    PinionServer.Builder builder = PinionServer.newBuilder(program, made.registry, "echo", command.version).host("127.0.0.1")
        .lease(Duration.ofSeconds(command.leaseSeconds)).actor("driver").onRegistered(uid -> made.events.add(Map.of("uid", uid)));
    if (command.publish) builder.publish();
    made.server = builder.start();
    new Thread(() -> await(made)).start();
    return registered(made);
  }

  private static void await(Running server) {
    try {
      server.server.awaitTermination();
      server.events.add(Map.of());
    } catch (StatusRuntimeException error) {
      server.events.add(Map.of("error", Calls.errorAnswer(error)));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static Map<String, Object> registered(Running server) throws InterruptedException {
    Map<String, Object> event = new HashMap<>(server.next());
    if (event.containsKey("uid")) event.put("address", server.address());
    return event;
  }

  Map<String, Object> again(Command command) throws InterruptedException {
    return registered(servers.get(command.as));
  }

  Map<String, Object> health(Command command) {
    ManagedChannel channel =
        Grpc.newChannelBuilder(servers.get(command.as).address(), InsecureChannelCredentials.create()).build();
    try {
      return Map.of("status", HealthGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS)
          .check(HealthCheckRequest.newBuilder().setService(EchoGrpc.SERVICE_NAME).build()).getStatus().name());
    } finally {
      channel.shutdownNow();
    }
  }

  Map<String, Object> end(Command command) throws InterruptedException {
    Running ending = servers.get(command.as);
    ending.server.close();
    ending.registry.shutdownNow();
    return ending.next();
  }
}
