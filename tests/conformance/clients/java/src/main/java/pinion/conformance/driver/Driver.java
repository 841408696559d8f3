package pinion.conformance.driver;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The conformance scenarios' driver for Java: reads commands as JSON, one a line, and answers each with a line. */
public final class Driver {
  public static void main(String[] args) throws Exception {
    Gson json = new GsonBuilder().disableHtmlEscaping().create();
    Calls calls = new Calls();
    Servers servers = new Servers();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Command command = json.fromJson(line, Command.class);
      Map<String, Object> answer = switch (command.verb) {
        case "dial" -> calls.dial(command);
        case "call" -> calls.call(command);
        case "told" -> calls.told(command);
        case "serve" -> servers.serve(command);
        case "again" -> servers.again(command);
        case "health" -> servers.health(command);
        case "end" -> servers.end(command);
        default -> Map.of("failure", "no command " + command.verb);
      };
      System.out.println(json.toJson(answer));
    }
    System.exit(0);
  }
}
