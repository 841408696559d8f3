package example.greeter;

import example.pinion.sample.GreetReply;
import example.pinion.sample.GreetRequest;
import example.pinion.sample.GreeterGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ServerBuilder;
import io.grpc.stub.StreamObserver;
import pinion.grpc.PinionServer;

/**
 * A greeter that keeps itself registered as one version of the service {@code greeter}, until SIGTERM or Ctrl-C: {@code --registry}
 * HOST:PORT, {@code --version} NAME.
 */
public final class GreeterServer extends GreeterGrpc.GreeterImplBase {
  private final String version;

  private GreeterServer(String version) {
    this.version = version;
  }

  @Override
  public void greet(GreetRequest request, StreamObserver<GreetReply> observer) {
    observer.onNext(GreetReply.newBuilder().setText("hello " + request.getName() + ", says " + version).build());
    observer.onCompleted();
  }

  public static void main(String[] args) throws Exception {
    String version = Arguments.get(args, "--version", "1.0.0");
    // Elsewhere than on one machine: TlsChannelCredentials, and PinionCredentials.token(…) with CompositeChannelCredentials.
    ManagedChannel registry =
        Grpc.newChannelBuilder(Arguments.get(args, "--registry", "127.0.0.1:8081"), InsecureChannelCredentials.create()).build();
    PinionServer server = PinionServer.newBuilder(ServerBuilder.forPort(0).addService(new GreeterServer(version)), registry, "greeter", version)
        .host("127.0.0.1").publish().actor("greeter-sample").onRegistered(uid -> System.out.println("registered as " + uid)).start();
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    server.awaitTermination();
  }
}
