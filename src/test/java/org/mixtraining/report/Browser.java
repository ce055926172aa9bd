package org.mixtraining.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A Chromium without a window, told what to do by its DevTools protocol. */
final class Browser implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PATIENCE_SECONDS = 60;

  private final Path profile;
  private final Process process;
  private final WebSocket socket;
  private final BlockingQueue<JsonNode> received = new LinkedBlockingQueue<>();
  private final List<JsonNode> events = new ArrayList<>();
  private String session;
  private int sent;

  /** How a page is looked at. */
  record View(String name, int width, String scheme) {}

  /**
   * What came of looking at a page.
   *
   * @param complaints errors and warnings on the console, and exceptions
   * @param requests addresses that it asked for, its own included
   * @param width of all its content
   */
  record Visit(List<String> complaints, List<String> requests, int width, byte[] screenshot) {}

  /** The program, where there is one. */
  static Optional<Path> installed() {
    return Stream.of(System.getenv("PATH").split(":"))
        .flatMap(
            directory ->
                Stream.of("chromium", "chromium-browser", "google-chrome", "chrome")
                    .map(name -> Path.of(directory, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  Browser(Path program, Path profile) throws Exception {
    this.profile = profile;
    process =
        new ProcessBuilder(
                program.toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .start();
    BufferedReader output = new BufferedReader(process.inputReader(StandardCharsets.UTF_8));
    String line = output.readLine();
    while (line != null && !line.startsWith("DevTools listening on ")) {
      line = output.readLine();
    }
    if (line == null) {
      throw new IOException(program + " ended with " + process.waitFor());
    }
    Thread drain = new Thread(() -> output.lines().forEach(ignored -> {}));
    drain.setDaemon(true);
    drain.start();
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create(line.substring(line.indexOf("ws://"))), new Listener())
            .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  Visit visit(Path page, View view) throws Exception {
    session = null;
    String target =
        tell("Target.createTarget", Map.of("url", "about:blank")).get("targetId").asText();
    session =
        tell("Target.attachToTarget", Map.of("targetId", target, "flatten", true))
            .get("sessionId")
            .asText();
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      tell(domain + ".enable", Map.of());
    }
    tell(
        "Emulation.setDeviceMetricsOverride",
        Map.of(
            "width",
            view.width,
            "height",
            900,
            "deviceScaleFactor",
            1,
            "mobile",
            view.width < 500));
    tell(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", view.scheme))));
    events.clear();
    tell("Page.navigate", Map.of("url", page.toUri().toString()));
    while (events.stream().noneMatch(event -> is(event, "Page.loadEventFired"))) {
      events.add(next());
    }
    int width =
        tell(
                "Runtime.evaluate",
                Map.of("expression", "document.documentElement.scrollWidth", "returnByValue", true))
            .at("/result/value")
            .asInt();
    byte[] screenshot =
        Base64.getDecoder()
            .decode(
                tell(
                        "Page.captureScreenshot",
                        Map.of("format", "png", "captureBeyondViewport", true, "clip", clip(width)))
                    .get("data")
                    .asText());
    Visit visit = new Visit(complaints(), requests(), width, screenshot);
    session = null;
    tell("Target.closeTarget", Map.of("targetId", target));
    return visit;
  }

  private Map<String, Object> clip(int width) throws Exception {
    int height =
        tell(
                "Runtime.evaluate",
                Map.of(
                    "expression", "document.documentElement.scrollHeight", "returnByValue", true))
            .at("/result/value")
            .asInt();
    return Map.of("x", 0, "y", 0, "width", width, "height", height, "scale", 1);
  }

  private List<String> complaints() {
    return events.stream()
        .filter(
            event ->
                is(event, "Runtime.exceptionThrown")
                    || is(event, "Runtime.consoleAPICalled")
                    || is(event, "Log.entryAdded"))
        .map(JsonNode::toString)
        .toList();
  }

  private List<String> requests() {
    return events.stream()
        .filter(event -> is(event, "Network.requestWillBeSent"))
        .map(event -> event.at("/params/request/url").asText())
        .toList();
  }

  private static boolean is(JsonNode event, String method) {
    return event.path("method").asText().equals(method);
  }

  private JsonNode tell(String method, Map<String, Object> parameters) throws Exception {
    int id = ++sent;
    var message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", JSON.valueToTree(parameters));
    if (session != null) {
      message.put("sessionId", session);
    }
    socket.sendText(message.toString(), true).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    while (true) {
      JsonNode answer = next();
      if (answer.path("id").asInt() == id) {
        if (answer.has("error")) {
          throw new IOException(method + ": " + answer.get("error"));
        }
        return answer.get("result");
      }
      events.add(answer);
    }
  }

  private JsonNode next() throws Exception {
    JsonNode message = received.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    if (message == null) {
      throw new IOException(
          String.format(Locale.ROOT, "the browser has said nothing for %d s", PATIENCE_SECONDS));
    }
    return message;
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        try {
          received.add(JSON.readTree(text.toString()));
        } catch (IOException e) {
          throw new IllegalStateException(e);
        }
        text.setLength(0);
      }
      socket.request(1);
      return null;
    }
  }

  @Override
  public void close() throws Exception {
    socket.abort();
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().waitFor();
    for (String link : List.of("SingletonLock", "SingletonCookie", "SingletonSocket")) {
      Files.deleteIfExists(profile.resolve(link));
    }
  }
}
