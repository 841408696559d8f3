package pinion.grpc;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** A consumer's or an owner's secrets, for {@code stub.withCallCredentials}: they are only sent over TLS. */
public final class PinionCredentials extends CallCredentials {
  private final Metadata.Key<String> name;
  private final Supplier<String> value;

  private PinionCredentials(String name, Supplier<String> value) {
    this.name = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    this.value = value;
  }

  /** {@link #apiKey(String, String)} in the header {@code x-api-key}. */
  public static PinionCredentials apiKey(String key) {
    return apiKey(key, "x-api-key");
  }

  /**
   * A consumer's key.
   *
   * @param header of the gateway's listener
   */
  public static PinionCredentials apiKey(String key, String header) {
    return new PinionCredentials(header, () -> key);
  }

  /** A bearer token, of a consumer towards gateways or of an owner towards the registry. The source is asked for each call. */
  public static PinionCredentials token(Supplier<String> source) {
    return new PinionCredentials("authorization", () -> "Bearer " + source.get());
  }

  /** A bearer token in a file, which is read for each call, so that it can be replaced. */
  public static PinionCredentials tokenFile(Path path) {
    return token(() -> {
      try {
        String text = Files.readString(path).strip();
        if (text.isEmpty()) throw new IllegalStateException(path + " holds no token");
        return text;
      } catch (IOException unreadable) {
        throw new UncheckedIOException(unreadable);
      }
    });
  }

  @Override
  public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
    if (call.getSecurityLevel() != SecurityLevel.PRIVACY_AND_INTEGRITY) {
      applier.fail(Status.UNAUTHENTICATED.withDescription("a key or token is only sent over TLS"));
      return;
    }
    executor.execute(() -> {
      try {
        Metadata headers = new Metadata();
        headers.put(name, value.get());
        applier.apply(headers);
      } catch (RuntimeException failed) {
        applier.fail(Status.UNAUTHENTICATED.withDescription("no token: " + failed.getMessage()).withCause(failed));
      }
    });
  }
}
