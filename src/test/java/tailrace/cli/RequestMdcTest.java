package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;
import tailrace.http.RequestIdHandler;

class RequestMdcTest {
    @Test
    void aLineLoggedForARequestBearsItsIdsOnAnyThread() throws Exception {
        RequestMdc mdc = new RequestMdc(MDC.getMDCAdapter());
        Vertx vertx = Vertx.vertx();
        try {
            Router router = Router.router(vertx);
            router.route().handler(new RequestIdHandler());
            router.get().handler(ctx -> vertx.executeBlocking(() -> String.valueOf(mdc.getPropertyMap()), false)
                    .onSuccess(ctx::end)
                    .onFailure(ctx::fail));
            HttpServer server = vertx.createHttpServer()
                    .requestHandler(router)
                    .listen(0, "127.0.0.1")
                    .await(10, TimeUnit.SECONDS);
            HttpClient client = vertx.createHttpClient();
            String seen = client.request(io.vertx.core.http.HttpMethod.GET, server.actualPort(), "127.0.0.1", "/")
                    .compose(request -> request.putHeader("X-Request-ID", "r-1")
                            .putHeader("X-Trace-ID", "t-1")
                            .send())
                    .compose(response -> response.body())
                    .await(10, TimeUnit.SECONDS)
                    .toString();

            assertThat(seen).contains("request_id=r-1").contains("trace_id=t-1");
            assertThat(mdc.getPropertyMap()).isNullOrEmpty();
        } finally {
            vertx.close().await(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void whatIsSetByHandIsKept() {
        RequestMdc mdc = new RequestMdc(MDC.getMDCAdapter());
        MDC.put("lane", "1");
        try {
            assertThat(mdc.getPropertyMap()).isEqualTo(Map.of("lane", "1"));
        } finally {
            MDC.remove("lane");
        }
    }
}
