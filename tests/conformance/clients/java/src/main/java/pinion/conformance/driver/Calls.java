package pinion.conformance.driver;

import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import pinion.conformance.EchoGrpc;
import pinion.conformance.SayReply;
import pinion.conformance.SayRequest;
import pinion.grpc.Chain;
import pinion.grpc.Notice;
import pinion.grpc.PinionCredentials;
import pinion.grpc.PinionInterceptor;
import pinion.grpc.Refusal;
import pinion.grpc.Response;

/** Connections and the calls on them. */
final class Calls {
  private static final long SECONDS = 10;

  private static final class Connection {
    final List<Map<String, Object>> notices = new ArrayList<>();
    int lines;
    ManagedChannel channel;
  }

  private static final class Lines extends Handler {
    final Connection connection;

    Lines(Connection connection) {
      this.connection = connection;
    }

    @Override
    public void publish(LogRecord line) {
      connection.lines++;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private final Map<String, Connection> connections = new HashMap<>();

  static Map<String, Object> errorAnswer(StatusRuntimeException error) {
    Map<String, Object> said = new HashMap<>();
    said.put("code", error.getStatus().getCode().value());
    said.put("message", String.valueOf(error.getStatus().getDescription()));
    Refusal.from(error).ifPresent(refusal -> said.put("refusal", Map.of("reason", refusal.reason(), "service", refusal.service(),
        "version", refusal.version(), "consumer", refusal.consumer(), "asked", refusal.asked(), "source", refusal.source(),
        "available", refusal.available(), "successor", refusal.successor(), "help", refusal.help())));
    return said;
  }

  private static Map<String, Object> noticeAnswer(Notice notice) {
    Map<String, Object> said = new HashMap<>(Map.of("service", notice.grpcService(), "version", notice.version()));
    notice.deprecated().ifPresent(time -> said.put("deprecated", time.getEpochSecond()));
    notice.sunset().ifPresent(time -> said.put("sunset", time.getEpochSecond()));
    notice.link().ifPresent(link -> said.put("link", link));
    return said;
  }

  private static Map<String, Object> replyAnswer(SayReply reply) {
    Map<String, Object> said = new HashMap<>(Map.of("served_by", reply.getVersion(), "received", reply.getReceivedMap()));
    if (reply.hasThrough()) said.put("through", replyAnswer(reply.getThrough()));
    return said;
  }

  static ChannelCredentials credentials(Command command) throws IOException {
    if (command.ca == null) return InsecureChannelCredentials.create();
    TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder().trustManager(new File(command.ca));
    if (command.certificate != null) builder.keyManager(new File(command.certificate), new File(command.key));
    ChannelCredentials tls = builder.build();
    CallCredentials ofCalls = command.apiKey != null ? PinionCredentials.apiKey(command.apiKey)
        : command.token != null ? PinionCredentials.token(() -> command.token)
        : command.tokenFile != null ? PinionCredentials.tokenFile(Path.of(command.tokenFile)) : null;
    return ofCalls == null ? tls : CompositeChannelCredentials.create(tls, ofCalls);
  }

  Map<String, Object> dial(Command command) throws IOException {
    Connection made = new Connection();
    Logger logger = Logger.getAnonymousLogger();
    logger.setUseParentHandlers(false);
    logger.addHandler(new Lines(made));
    PinionInterceptor.Builder interceptor = PinionInterceptor.newBuilder().header(command.header).defaultPin(command.defaultPin)
        .logger(logger).onDeprecation(notice -> made.notices.add(noticeAnswer(notice)));
    command.pins.forEach(interceptor::pin);
    if (command.passOn) interceptor.passOn();
    made.channel = Grpc.newChannelBuilder(command.target, credentials(command)).intercept(interceptor.build()).build();
    connections.put(command.as, made);
    return Map.of();
  }

  Map<String, Object> call(Command command) throws Exception {
    List<Response> responses = new ArrayList<>();
    Metadata headers = new Metadata();
    command.metadata.forEach((name, value) -> headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    EchoGrpc.EchoBlockingStub stub = EchoGrpc.newBlockingStub(connections.get(command.as).channel)
        .withDeadlineAfter(SECONDS, TimeUnit.SECONDS).withOption(PinionInterceptor.RESOLVED, responses::add);
    if (command.pin != null) stub = stub.withOption(PinionInterceptor.PIN, command.pin);
    // Nearest to the caller, so that the library sees what it adds.
    EchoGrpc.EchoBlockingStub called = stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    Map<String, Object> said = new HashMap<>();
    try {
      said.putAll(replyAnswer(Chain.withPins(command.chain).call(() -> say(called, command))));
    } catch (StatusRuntimeException error) {
      said.put("error", errorAnswer(error));
    }
    said.put("version", responses.isEmpty() ? "" : responses.get(0).version());
    if (!responses.isEmpty()) responses.get(0).notice().ifPresent(notice -> said.put("notice", noticeAnswer(notice)));
    return said;
  }

  private static SayReply say(EchoGrpc.EchoBlockingStub stub, Command command) {
    SayRequest request = SayRequest.newBuilder().addAllThrough(command.through).build();
    return switch (command.method) {
      case "Later" -> stub.later(request);
      case "Repeat" -> stub.repeat(request).next();
      default -> stub.say(request);
    };
  }

  Map<String, Object> told(Command command) {
    Connection from = connections.get(command.as);
    return Map.of("notices", from.notices, "lines", from.lines);
  }
}
