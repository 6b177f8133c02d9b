package tailrace.security;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import java.net.URI;
import java.time.Duration;

/**
 * Asks an issuer for its keys: one GET, bounded in time and bytes. No redirect is followed, because it would move the
 * trust that the configuration gave to one address. Safe for any thread.
 */
final class JwksFetch {
    /** For the whole answer, however slowly it drips. */
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** A hundred large keys with their certificates. */
    static final int MAX_BYTES = 256 << 10;

    private final Vertx vertx;
    private final URI url;
    private final Duration timeout;
    private final HttpClient client;

    JwksFetch(Vertx vertx, URI url, Duration timeout) {
        this.vertx = vertx;
        this.url = url;
        this.timeout = timeout;
        this.client = vertx.createHttpClient(new HttpClientOptions()
                .setConnectTimeout((int) timeout.toMillis())
                // Minutes lie between two requests: a connection kept would only be one that broke unseen.
                .setKeepAlive(false)
                .setVerifyHost(true));
    }

    /** The keys now; fails with a message that holds nothing of the answer. */
    Future<KeySet> get() {
        Promise<Buffer> whole = Promise.promise();
        long timer = vertx.setTimer(
                timeout.toMillis(), id -> whole.tryFail("no whole answer within " + timeout.toMillis() + " ms"));
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.GET)
                .setAbsoluteURI(url.toString())
                .setFollowRedirects(false)
                .putHeader("Accept", "application/json");
        client.request(options).onFailure(whole::tryFail).onSuccess(request -> send(request, whole));
        return whole.future()
                .eventually(() -> {
                    vertx.cancelTimer(timer);
                    return Future.succeededFuture();
                })
                .map(KeySet::parse);
    }

    private static void send(HttpClientRequest request, Promise<Buffer> whole) {
        whole.future().onFailure(failure -> request.reset());
        request.send().onFailure(whole::tryFail).onSuccess(response -> receive(response, whole));
    }

    private static void receive(HttpClientResponse response, Promise<Buffer> whole) {
        response.exceptionHandler(whole::tryFail); // the reset that follows a failure comes here too
        if (response.statusCode() != 200) {
            whole.tryFail("the answer was " + response.statusCode() + ", and only 200 will do");
            return;
        }
        Buffer body = Buffer.buffer();
        response.endHandler(end -> whole.tryComplete(body));
        response.handler(chunk -> {
            if (body.length() + chunk.length() > MAX_BYTES) {
                whole.tryFail("the answer has more than " + MAX_BYTES + " bytes");
            } else if (!whole.future().isComplete()) {
                body.appendBuffer(chunk);
            }
        });
    }

    Future<Void> close() {
        return client.close();
    }
}
