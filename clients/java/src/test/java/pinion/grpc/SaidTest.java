package pinion.grpc;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Help;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.Test;
import pinion.registry.v1.RegistryGrpc;

/** What is read from metadata, which pin a call is given, and what servers say of themselves. */
public class SaidTest {
  private static final Metadata.Key<String> HEADER = key("api-version");
  private static final String PEOPLE = "acme.people.People";

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private static Metadata said(String... namesAndValues) {
    Metadata metadata = new Metadata();
    for (int i = 0; i < namesAndValues.length; i += 2) metadata.put(key(namesAndValues[i]), namesAndValues[i + 1]);
    return metadata;
  }

  private static Response response(Optional<Instant> deprecated, Optional<Instant> sunset, Optional<String> link) {
    return new Response("1.0.0", Optional.of(new Notice("a.A", "1.0.0", deprecated, sunset, link)));
  }

  @Test
  public void notices() {
    Optional<Instant> deprecated = Optional.of(Instant.ofEpochSecond(1764000000));
    String date = "Mon, 01 Mar 2027 00:00:00 GMT";
    assertEquals(Optional.empty(), Response.in(said(), "a.A", HEADER));
    assertEquals(Optional.of(new Response("1.0.0", Optional.empty())), Response.in(said("api-version", "1.0.0", "sunset", date), "a.A", HEADER));
    assertEquals(Optional.of(response(deprecated, Optional.of(Instant.parse("2027-03-01T00:00:00Z")), Optional.of("https://a.example/v2"))),
        Response.in(said("api-version", "1.0.0", "deprecation", "@1764000000", "sunset", date, "link", "<https://a.example>; rel=\"next\"",
            "link", "<https://a.example/v2>; rel=\"successor-version\""), "a.A", HEADER));
    assertEquals(Optional.of(response(Optional.empty(), Optional.empty(), Optional.empty())),
        Response.in(said("api-version", "1.0.0", "deprecation", "yes", "sunset", "soon"), "a.A", HEADER));
  }

  private static StatusRuntimeException refused(String domain) {
    ErrorInfo info = ErrorInfo.newBuilder().setReason("VERSION_NOT_FOUND").setDomain(domain)
        .putAllMetadata(Map.of("service", "people", "asked", "^3", "available", "2.0.0, 1.0.0", "more", "x")).build();
    Help help = Help.newBuilder().addLinks(Help.Link.newBuilder().setUrl("https://a.example/help")).build();
    return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder().setCode(12).setMessage("no such version")
        .addDetails(Any.pack(info)).addDetails(Any.pack(help)).build());
  }

  @Test
  public void refusals() {
    Refusal refusal = Refusal.from(new RuntimeException(refused("pinion"))).orElseThrow();
    assertEquals("VERSION_NOT_FOUND people ^3 https://a.example/help x", String.join(" ", refusal.reason(), refusal.service(),
        refusal.asked(), refusal.help(), refusal.variables().get("more")));
    assertEquals(List.of("2.0.0", "1.0.0"), refusal.available());
    assertEquals(Status.Code.UNIMPLEMENTED, refusal.status().getCode());
    for (Throwable other : new Throwable[] {null, new IllegalStateException(), Status.NOT_FOUND.asRuntimeException(),
        refused("another.example")}) {
      assertEquals(Optional.empty(), Refusal.from(other));
    }
  }

  private static Metadata sent(PinionInterceptor.Builder interceptor, Metadata headers, CallOptions options) {
    interceptor.build().addPins(headers, PEOPLE, options);
    return headers;
  }

  private static void assertPin(String want, PinionInterceptor.Builder interceptor, Metadata headers, CallOptions options) {
    List<String> pins = new ArrayList<>();
    Iterable<String> values = sent(interceptor, headers, options).getAll(HEADER);
    if (values != null) values.forEach(pins::add);
    assertEquals(want == null ? List.of() : List.of(want), pins);
  }

  @Test
  public void pinOfACall() {
    CallOptions none = CallOptions.DEFAULT;
    assertPin(null, PinionInterceptor.newBuilder(), said(), none);
    assertPin("^1", PinionInterceptor.newBuilder().defaultPin("^1"), said(), none);
    assertPin("^2", PinionInterceptor.newBuilder().defaultPin("^1").pin(PEOPLE, "^2"), said(), none);
    assertPin(null, PinionInterceptor.newBuilder().pin("acme.X", "^2"), said(), none);
    Chain.withPins(Map.of(PEOPLE, "^3")).run(() -> {
      assertPin("^3", PinionInterceptor.newBuilder().pin(PEOPLE, "^2").passOn(), said(), none);
      assertPin("^2", PinionInterceptor.newBuilder().pin(PEOPLE, "^2"), said(), none);
      assertPin("^4", PinionInterceptor.newBuilder().passOn(), said("api-version", "^4"), none);
      assertPin("^5", PinionInterceptor.newBuilder().passOn(), said("api-version", "^4"), none.withOption(PinionInterceptor.PIN, "^5"));
      assertEquals(PEOPLE + "=^3", sent(PinionInterceptor.newBuilder().passOn(), said(), none).get(key("api-version-context")));
    });
  }

  @Test
  public void pinsOfAChain() {
    String text = "a.A=>=1 <2 || 3, b.B=@stable";
    assertEquals(Map.of("a.A", ">=1 <2 || 3", "b.B", "@stable"), Chain.parse(text));
    assertEquals(text, Chain.format(Chain.parse(text)));
    for (String malformed : List.of("", "a.A", "a.A=", "=^1", "a.A=^1,", "x".repeat(4097))) {
      assertThrows(malformed, IllegalArgumentException.class, () -> Chain.parse(malformed));
    }
  }

  @Test
  public void addresses() {
    assertEquals("::1", Registration.parseAddress("[::1]:1").getSocketAddress().getAddress());
    assertEquals(443, Registration.parseAddress("people.corp:443").getSocketAddress().getPortValue());
    assertEquals("/run/people", Registration.parseAddress("unix:/run/people").getPipe().getPath());
    for (String bad : List.of("", "host", ":50051", "0.0.0.0:50051", "[::]:50051", "host:http")) {
      assertThrows(bad, IllegalArgumentException.class, () -> Registration.parseAddress(bad));
    }
  }

  @Test
  public void importsComeFirst() {
    List<String> names = Registration.descriptorSet(List.of(RegistryGrpc.getServiceDescriptor())).getFileList().stream()
        .map(file -> file.getName()).toList();
    assertEquals("pinion/registry/v1/registry.proto", names.get(names.size() - 1));
    assertEquals(names.size(), names.stream().distinct().count());
    assertEquals(true, names.indexOf("google/protobuf/duration.proto") < names.indexOf("pinion/routing/v1/routing.proto"));
  }
}
