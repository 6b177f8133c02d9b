/**
 * The HTTP API: {@link tailrace.http.Routes} is the whole of it on one page, one handler a resource.
 */
@NullMarked
package tailrace.http;

import org.jspecify.annotations.NullMarked;
