package pinion.conformance.driver;

import com.google.gson.annotations.SerializedName;
import java.util.List;
import java.util.Map;

/** What a line says; README.md beside the scenarios explains it. */
final class Command {
  @SerializedName("do")
  String verb;
  String as;

  // Of dial, and to the registry of serve.
  String ca;
  @SerializedName("api_key")
  String apiKey;
  String token;
  @SerializedName("token_file")
  String tokenFile;
  String certificate;
  String key;

  String target;
  Map<String, String> pins = Map.of();
  @SerializedName("default_pin")
  String defaultPin;
  String header = "api-version";
  @SerializedName("pass_on")
  boolean passOn;

  String method = "Say";
  String pin;
  Map<String, String> metadata = Map.of();
  Map<String, String> chain = Map.of();
  List<String> through = List.of();

  String registry;
  String version;
  boolean publish;
  @SerializedName("lease_seconds")
  int leaseSeconds = 15;
}
