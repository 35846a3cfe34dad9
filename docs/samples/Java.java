// BASE_URL=https://… TOKEN=… java Java.java
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

public class Java {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static String call(String method, BodyPublisher body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(variable("BASE_URL").replaceFirst("/$", "") + "/settings/organization"))
                .method(method, body)
                .header("Authorization", "Bearer " + variable("TOKEN"))
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(30))
                .build();
        var response = CLIENT.send(request, BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2 || !response.body().startsWith("{")) {
            throw new IOException(response.statusCode() + " " + response.body());
        }
        return response.body();
    }

    private static String variable(String name) {
        var value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(name + " is missing");
        }
        return value;
    }

    public static void main(String[] args) throws InterruptedException {
        try {
            System.out.println(call("POST", BodyPublishers.ofString("""
                    {"settings": {"theme": "dark", "limits": {"maxFileSize": "10GB"}}}""")));
            System.out.println(call("GET", BodyPublishers.noBody()));
        } catch (IOException | IllegalArgumentException e) {
            System.err.println(e.getMessage() == null ? e : e.getMessage());
            System.exit(1);
        }
    }
}
