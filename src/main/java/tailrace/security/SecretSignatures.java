package tailrace.security;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.PubSecKeyOptions;
import io.vertx.ext.auth.User;
import io.vertx.ext.auth.authentication.TokenCredentials;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import java.util.Objects;
import tailrace.config.TailraceConfig;

/** HS256 with a secret that this server and whoever mints tokens share. */
public final class SecretSignatures implements Signatures {
    private final JWTAuth library;

    /** @param secret key of at least {@link tailrace.config.ConfigLoader#MIN_SECRET_BYTES} */
    public SecretSignatures(TailraceConfig.Secret secret) {
        library = library("HS256", Buffer.buffer(secret.value()));
    }

    /**
     * The library with one key for one algorithm. Times and claims are not its part: they are checked against our clock.
     *
     * @param key the secret, or a public key as PEM; what it cannot use, it throws at. Never a JWK: of those it drops what
     *     it cannot use, and with no key left it accepts tokens that are not signed
     */
    static JWTAuth library(String algorithm, Buffer key) {
        // It wants a Vertx only to read key stores from files, which is never done here.
        return JWTAuth.create(
                null,
                new JWTAuthOptions()
                        .addPubSecKey(
                                new PubSecKeyOptions().setAlgorithm(algorithm).setBuffer(key))
                        .setJWTOptions(new JWTOptions().setAlgorithm(algorithm).setIgnoreExpiration(true)));
    }

    String sign(JsonObject claims) {
        return library.generateToken(claims, new JWTOptions().setAlgorithm("HS256"));
    }

    @Override
    public JsonObject claims(String token) throws InvalidTokenException {
        TokenHeader.of(token);
        return claims(library, token, "the token is not a JWT signed by HS256 with this server's secret");
    }

    /** What the token says, if the one key of the library signed it. */
    static JsonObject claims(JWTAuth library, String token, String otherwise) throws InvalidTokenException {
        Future<User> user;
        try {
            user = library.authenticate(new TokenCredentials(token));
        } catch (RuntimeException e) {
            // Claims of a type they cannot have end here too: the library casts them.
            throw new InvalidTokenException("the token is not a well-formed JWT");
        }
        // Completed already: signatures are computed in place.
        if (!user.succeeded()) {
            throw new InvalidTokenException(otherwise);
        }
        JsonObject claims = user.result().attributes().getJsonObject("accessToken");
        return Objects.requireNonNull(claims);
    }

    @Override
    public Object version() {
        return this;
    }

    @Override
    public Future<Void> refresh() {
        return Future.succeededFuture();
    }

    @Override
    public Future<Void> close() {
        return Future.succeededFuture();
    }
}
