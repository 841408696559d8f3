package example.greeter;

import example.pinion.sample.GreetReply;
import example.pinion.sample.GreetRequest;
import example.pinion.sample.GreeterGrpc;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ServerBuilder;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import pinion.grpc.PinionCredentials;
import pinion.grpc.PinionServer;

/**
 * A greeter that keeps itself registered as one version of the service {@code greeter}, until SIGTERM or Ctrl-C: {@code --registry}
 * HOST:PORT, {@code --version} NAME, {@code --tls-ca} and {@code --token-file} FILE.
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

  // To the registry; over TLS and with a token where it asks who calls. One whose machine has vanished is noticed before a lease of
  // 15 s ends.
  private static ManagedChannel connect(String[] args) throws IOException {
    String ca = Arguments.get(args, "--tls-ca", "");
    String tokenFile = Arguments.get(args, "--token-file", "");
    ChannelCredentials credentials =
        ca.isEmpty() ? InsecureChannelCredentials.create() : TlsChannelCredentials.newBuilder().trustManager(new File(ca)).build();
    if (!tokenFile.isEmpty()) {
      credentials = CompositeChannelCredentials.create(credentials, PinionCredentials.tokenFile(Path.of(tokenFile)));
    }
    return Grpc.newChannelBuilder(Arguments.get(args, "--registry", "127.0.0.1:8081"), credentials)
        .keepAliveTime(10, TimeUnit.SECONDS).keepAliveTimeout(3, TimeUnit.SECONDS).keepAliveWithoutCalls(true).build();
  }

  public static void main(String[] args) throws Exception {
    String version = Arguments.get(args, "--version", "1.0.0");
    PinionServer server = PinionServer
        .newBuilder(ServerBuilder.forPort(0).addService(new GreeterServer(version)), connect(args), "greeter", version)
        .host("127.0.0.1").publish().actor("greeter-sample").onRegistered(uid -> System.out.println("registered as " + uid)).start();
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    try {
      server.awaitTermination();
    } catch (StatusRuntimeException refused) {
      System.err.println(refused.getMessage());
      System.exit(1);
    }
  }
}
