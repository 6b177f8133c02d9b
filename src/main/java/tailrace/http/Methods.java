package tailrace.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.TreeSet;

/** Which methods a path has, as the routes say, and the two that every path of the API has without a route of its own. */
final class Methods {
    private Methods() {}

    /**
     * Answers OPTIONS with the methods there are, and HEAD as GET is answered, without the body: Vert.x leaves that out, but
     * over HTTP/2, where HEAD is refused. Call before the routes are added. What streams has no HEAD, since its GET does not
     * end.
     */
    static void install(Router router) {
        router.head().handler(ctx -> {
            Set<String> methods = of(router, ctx);
            if (methods.contains("GET") && methods.contains("HEAD")) {
                ctx.reroute(HttpMethod.GET, ctx.request().uri());
            } else {
                ctx.next();
            }
        });
        router.options().handler(ctx -> {
            Set<String> methods = of(router, ctx);
            if (methods.isEmpty()) {
                ctx.next();
            } else {
                ctx.response()
                        .putHeader(HttpHeaders.ALLOW, String.join(", ", methods))
                        .setStatusCode(204)
                        .end();
            }
        });
    }

    /** The methods of the path that is asked for, in order; empty if the API has no such path. */
    static Set<String> of(Router router, RoutingContext ctx) {
        String path = ctx.normalizedPath();
        String[] asked = path.split("/", -1);
        Set<String> methods = new TreeSet<>();
        for (Route route : router.getRoutes()) {
            String pattern = route.getPath();
            Set<HttpMethod> routeMethods = route.methods();
            // A path that only the catch-all for files knows is no path of the API.
            boolean catchAll = "/".equals(pattern) && !route.isExactPath();
            if (pattern != null && routeMethods != null && !catchAll && matches(route, pattern, asked)) {
                routeMethods.forEach(method -> methods.add(method.name()));
            }
        }
        boolean endless = path.endsWith("/stream") || path.endsWith("/ws") || path.endsWith("/export");
        if (methods.contains("GET") && !endless && ctx.request().version() != HttpVersion.HTTP_2) {
            methods.add("HEAD");
        }
        if (!methods.isEmpty()) {
            methods.add("OPTIONS");
        }
        return methods;
    }

    /** Only for paths as this API has them: segments, {@code :names} and a {@code *} at the end. */
    private static boolean matches(Route route, String path, String[] asked) {
        String[] pattern =
                (route.isExactPath() ? path : path + "*").replace("**", "*").split("/", -1);
        for (int i = 0; i < pattern.length; i++) {
            if (pattern[i].equals("*")) {
                return true;
            }
            if (i >= asked.length || !pattern[i].startsWith(":") && !pattern[i].equals(asked[i])) {
                return false;
            }
        }
        return pattern.length == asked.length;
    }
}
