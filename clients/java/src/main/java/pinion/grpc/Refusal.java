package pinion.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Help;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a gateway or registry says when it answers a call itself. What does not apply is empty.
 *
 * @param status gRPC's
 * @param reason to switch on, such as {@code VERSION_NOT_FOUND}
 * @param service the registry's name of the service
 * @param version that the call would have gone to
 * @param consumer who called
 * @param asked the expression
 * @param source where it came from
 * @param available what this caller may ask for instead, newest first; ten at most
 * @param successor of a retired version
 * @param help a URL
 * @param variables every variable of the message, the above among them
 */
public record Refusal(Status status, String reason, String service, String version, String consumer, String asked, String source,
    List<String> available, String successor, String help, Map<String, String> variables) {
  private static final String DOMAIN = "pinion";

  /** The refusal that an exception of a call, or one of its causes, holds: {@code catch (StatusRuntimeException e)}. */
  public static Optional<Refusal> from(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof StatusRuntimeException || cause instanceof StatusException) return in(cause);
    }
    return Optional.empty();
  }

  private static Optional<Refusal> in(Throwable error) {
    com.google.rpc.Status said = StatusProto.fromThrowable(error);
    if (said == null) return Optional.empty();
    ErrorInfo info = ErrorInfo.getDefaultInstance();
    String help = "";
    try {
      for (Any detail : said.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) info = detail.unpack(ErrorInfo.class);
        if (detail.is(Help.class) && detail.unpack(Help.class).getLinksCount() > 0) help = detail.unpack(Help.class).getLinks(0).getUrl();
      }
    } catch (InvalidProtocolBufferException unreadable) {
      return Optional.empty();
    }
    return info.getDomain().equals(DOMAIN) ? Optional.of(of(Status.fromThrowable(error), info, help)) : Optional.empty();
  }

  private static Refusal of(Status status, ErrorInfo info, String help) {
    Map<String, String> said = info.getMetadataMap();
    String available = said.getOrDefault("available", "");
    return new Refusal(status, info.getReason(), said.getOrDefault("service", ""), said.getOrDefault("version", ""),
        said.getOrDefault("consumer", ""), said.getOrDefault("asked", ""), said.getOrDefault("source", ""),
        available.isEmpty() ? List.of() : List.of(available.split(", ")), said.getOrDefault("successor", ""), help, said);
  }
}
