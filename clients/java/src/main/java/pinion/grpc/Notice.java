package pinion.grpc;

import java.time.Instant;
import java.util.Optional;

/**
 * That the version which answers will end.
 *
 * @param grpcService the full name of the service that was called
 * @param version the version that answered
 * @param deprecated since when (RFC 9745); empty: it cannot be read
 * @param sunset when it ends (RFC 8594); empty: not announced
 * @param link about what comes instead
 */
public record Notice(String grpcService, String version, Optional<Instant> deprecated, Optional<Instant> sunset, Optional<String> link) {}
