package example.greeter;

import example.pinion.sample.GreetReply;
import example.pinion.sample.GreetRequest;
import example.pinion.sample.GreeterGrpc;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.TimeUnit;
import pinion.grpc.PinionInterceptor;
import pinion.grpc.Refusal;

/** Greets through a gateway, asking for the version that it was written against: {@code --gateway} HOST:PORT, {@code --pin} EXPRESSION. */
public final class GreeterClient {
  public static void main(String[] args) throws InterruptedException {
    PinionInterceptor interceptor =
        PinionInterceptor.newBuilder().pin(GreeterGrpc.SERVICE_NAME, Arguments.get(args, "--pin", "^1")).build();
    ManagedChannel channel = Grpc.newChannelBuilder(Arguments.get(args, "--gateway", "127.0.0.1:8080"), InsecureChannelCredentials.create())
        .intercept(interceptor).build();
    StringBuilder version = new StringBuilder();
    int status = 0;
    try {
      GreetReply reply = GreeterGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS)
          .withOption(PinionInterceptor.RESOLVED, response -> version.append(response.version()))
          .greet(GreetRequest.newBuilder().setName("ada").build());
      System.out.println(reply.getText() + " (api-version: " + version + ")");
    } catch (StatusRuntimeException error) {
      System.err.println(Refusal.from(error)
          .map(refusal -> "refused, " + refusal.reason() + ": " + error.getStatus().getDescription())
          .orElse(error.getMessage() + (error.getCause() == null ? "" : ": " + error.getCause().getMessage())));
      status = 1;
    }
    channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    System.exit(status);
  }
}
