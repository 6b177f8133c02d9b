package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tailrace.postgres.RetentionPolicies;
import tailrace.postgres.RetentionPolicy;

/** {@code /v2/retention/policies}: what is kept for less than {@code LOG_RETENTION_DAYS} (SPEC 10). For services. */
public final class RetentionHandler {
    private static final int MAX_ID_CHARS = 255;
    /** Policy ids become part of file names. */
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    private static final double MIN_DAYS = 1.0 / 86_400;
    private static final long MAX_NEWEST = 1_000_000_000L;
    private static final Set<String> FIELDS = Set.of("workflow_id", "tier", "max_age_days", "newest_n");

    private final RetentionPolicies policies;
    private final int logDays;

    /** @param logDays that everything is kept; a policy may only shorten it */
    public RetentionHandler(RetentionPolicies policies, int logDays) {
        this.policies = policies;
        this.logDays = logDays;
    }

    /** All policies, by id. */
    public void list(RoutingContext ctx) {
        policies.all()
                .compose(all -> {
                    var list = new JsonArray();
                    all.forEach(policy -> list.add(policy.json()));
                    return answer(ctx, 200, new JsonObject().put("policies", list));
                })
                .onFailure(failure -> ctx.fail(Reading.postgresProblem(failure)));
    }

    /** Makes a policy or replaces it whole; the body was read. */
    public void put(RoutingContext ctx) {
        String id = id(ctx);
        RetentionPolicy policy = policy(id, JsonBody.of(ctx).only(FIELDS));
        policies.put(policy)
                .compose(put ->
                        answer(ctx, put.created() ? 201 : 200, put.policy().json()))
                .onFailure(failure -> ctx.fail(Reading.postgresProblem(failure)));
    }

    /** What a policy has removed stays removed. */
    public void delete(RoutingContext ctx) {
        String id = id(ctx);
        policies.delete(id)
                .compose(found -> found
                        ? ctx.response().setStatusCode(204).end()
                        : Future.failedFuture(Problem.of(404, "policy_not_found", "There is no policy " + id + ".")))
                .onFailure(failure -> ctx.fail(Reading.postgresProblem(failure)));
    }

    private static String id(RoutingContext ctx) {
        String id = ctx.pathParam("id");
        if (id == null || !ID.matcher(id).matches()) {
            throw JsonBody.invalid(
                    "id", "must be 1 to 64 of the characters A-Z a-z 0-9 . _ - and begin with a letter or digit");
        }
        return id;
    }

    private RetentionPolicy policy(String id, JsonBody body) {
        String workflow = body.text("workflow_id", MAX_ID_CHARS);
        String tier = body.text("tier", WorkflowHandler.MAX_TIER_CHARS);
        if (workflow == null && tier == null) {
            throw JsonBody.invalid("workflow_id", "give workflow_id or tier, to say which executions are meant");
        }
        if (workflow != null && tier != null) {
            throw JsonBody.invalid("tier", "give workflow_id or tier, not both; make two policies instead");
        }
        Double maxAgeDays = maxAgeDays(body);
        Long newestN = newestN(body);
        if (maxAgeDays == null && newestN == null) {
            throw JsonBody.invalid("max_age_days", "give max_age_days, newest_n or both, to say what is kept");
        }
        return new RetentionPolicy(id, workflow, tier, maxAgeDays, newestN);
    }

    private @Nullable Double maxAgeDays(JsonBody body) {
        Double days = body.number("max_age_days").map(Number::doubleValue).orElse(null);
        if (days != null && !(days >= MIN_DAYS)) {
            throw JsonBody.invalid("max_age_days", "must be a second at least, which is 0.0000116 days");
        }
        if (days != null && days > logDays) {
            throw JsonBody.invalid(
                    "max_age_days",
                    "a policy can only shorten LOG_RETENTION_DAYS, which is " + logDays
                            + ": after that the whole day is dropped. Raise LOG_RETENTION_DAYS and shorten the others.");
        }
        return days;
    }

    private static @Nullable Long newestN(JsonBody body) {
        Number number = body.number("newest_n").orElse(null);
        if (number == null) {
            return null;
        }
        double value = number.doubleValue();
        if (value != Math.rint(value) || !(value >= 1 && value <= MAX_NEWEST)) {
            throw JsonBody.invalid("newest_n", "must be a whole number from 1 to " + MAX_NEWEST);
        }
        return number.longValue();
    }

    private static Future<Void> answer(RoutingContext ctx, int status, JsonObject json) {
        return ctx.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(json.toBuffer());
    }
}
