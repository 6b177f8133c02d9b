package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import java.lang.reflect.Constructor;
import java.lang.reflect.Proxy;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tailrace.config.ConfigLoader;

/** Every route stands in the OpenAPI document with its methods, and whatever stands there is a route. */
class DocumentedRoutesTest {
    @Test
    void theDocumentHasEveryRouteAndNoOther() throws Exception {
        Set<String> routed = routed();
        Set<String> documented = documented();
        assertThat(routed).contains("POST /v2/logs/batch", "GET /docs", "GET /");
        Set<String> undocumented = new TreeSet<>(routed);
        undocumented.removeAll(documented);
        assertThat(undocumented)
                .as("routes that src/main/resources/openapi does not have")
                .isEmpty();
        Set<String> unrouted = new TreeSet<>(documented);
        unrouted.removeAll(routed);
        assertThat(unrouted).as("documented, and no routes").isEmpty();
    }

    private static Set<String> documented() {
        Set<String> documented = new TreeSet<>();
        JsonObject paths = ApiDocument.load("test").json().getJsonObject("paths");
        for (String path : paths.fieldNames()) {
            for (String method : paths.getJsonObject(path).fieldNames()) {
                if (!method.equals("parameters")) {
                    documented.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path.replaceAll("\\{\\w+}", "{}"));
                }
            }
        }
        return documented;
    }

    private static Set<String> routed() throws Exception {
        Vertx vertx = Vertx.vertx();
        try {
            Set<String> routed = new TreeSet<>();
            for (Route route : Routes.create(
                            vertx,
                            handlers(),
                            ConfigLoader.load(Map.of(), Optional.empty()).http())
                    .getRoutes()) {
                if (route.getPath() != null && route.methods() != null) {
                    String path = route.getPath().replaceAll(":\\w+", "{}").replaceAll("/\\**$", "");
                    // HEAD goes with every GET.
                    route.methods().stream()
                            .filter(method -> !method.equals(HttpMethod.HEAD))
                            .forEach(method -> routed.add(method + " " + (path.isEmpty() ? "/" : path)));
                }
            }
            return routed;
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }

    /** Handlers that will never be asked: made of nothing. */
    private static Routes.Handlers handlers() throws Exception {
        return (Routes.Handlers) empty(Routes.Handlers.class);
    }

    private static Object empty(Class<?> type) throws Exception {
        if (type.isInterface()) {
            return Proxy.newProxyInstance(
                    type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> null);
        }
        if (type == Routes.Handlers.class) {
            Class<?>[] components = Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new);
            Object[] values = new Object[components.length];
            for (int i = 0; i < components.length; i++) {
                values[i] = empty(components[i]);
            }
            return type.getDeclaredConstructor(components).newInstance(values);
        }
        Constructor<?> constructor = List.of(type.getDeclaredConstructors()).stream()
                .max(java.util.Comparator.comparingInt(Constructor::getParameterCount))
                .orElseThrow();
        constructor.setAccessible(true);
        Object[] nothing = new Object[constructor.getParameterCount()];
        for (int i = 0; i < nothing.length; i++) {
            Class<?> parameter = constructor.getParameterTypes()[i];
            nothing[i] = parameter.isInterface() ? empty(parameter) : ZEROS.get(parameter);
        }
        return constructor.newInstance(nothing);
    }

    private static final Map<Class<?>, Object> ZEROS = Map.of(int.class, 0, long.class, 0L, boolean.class, false);
}
