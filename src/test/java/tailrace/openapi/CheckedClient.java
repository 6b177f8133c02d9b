package tailrace.openapi;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * The JDK's client, which holds whatever it sends and gets against the OpenAPI document. Bodies are looked at that come
 * as a string or as bytes; a test that reads a stream asks {@link Contract#event} by itself.
 */
public final class CheckedClient extends HttpClient {
    private final HttpClient client;
    private final Contract contract;
    private final boolean nonsense;

    private CheckedClient(HttpClient client, Contract contract, boolean nonsense) {
        this.client = client;
        this.contract = contract;
        this.nonsense = nonsense;
    }

    public static CheckedClient of(HttpClient client) {
        return new CheckedClient(client, Contract.served(), false);
    }

    static CheckedClient of(HttpClient client, Contract contract) {
        return new CheckedClient(client, contract, false);
    }

    /** For requests that are wrong on purpose: their answers alone are judged. */
    public CheckedClient nonsense() {
        return new CheckedClient(client, contract, true);
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        HttpResponse<T> response = client.send(request, handler);
        check(request, response);
        return response;
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
        return client.sendAsync(request, handler).thenApply(response -> {
            check(request, response);
            return response;
        });
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> handler, PushPromiseHandler<T> push) {
        return client.sendAsync(request, handler, push).thenApply(response -> {
            check(request, response);
            return response;
        });
    }

    private void check(HttpRequest request, HttpResponse<?> response) {
        byte[] sent = nonsense
                ? null
                : request.bodyPublisher().map(CheckedClient::bytes).orElse(null);
        contract.check(
                Exchange.of(request, sent, nonsense, response.statusCode(), response.headers(), response.body()));
    }

    /** A publisher gives its bytes to everyone who asks. */
    private static byte[] bytes(BodyPublisher publisher) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CompletableFuture<byte[]> all = new CompletableFuture<>();
        publisher.subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(ByteBuffer item) {
                byte[] chunk = new byte[item.remaining()];
                item.get(chunk);
                bytes.writeBytes(chunk);
            }

            @Override
            public void onError(Throwable throwable) {
                all.completeExceptionally(throwable);
            }

            @Override
            public void onComplete() {
                all.complete(bytes.toByteArray());
            }
        });
        return all.join();
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return client.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return client.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return client.followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return client.proxy();
    }

    @Override
    public SSLContext sslContext() {
        return client.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return client.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return client.authenticator();
    }

    @Override
    public Version version() {
        return client.version();
    }

    @Override
    public Optional<Executor> executor() {
        return client.executor();
    }
}
