package tailrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.config.RedisUrl.Server;
import tailrace.config.RedisUrl.Topology;
import tailrace.config.TailraceConfig.Secret;

class RedisUrlTest {
    @Test
    void oneServer() {
        assertThat(RedisUrl.parse("redis://localhost"))
                .isEqualTo(new RedisUrl(
                        Topology.STANDALONE,
                        false,
                        List.of(new Server("localhost", 6379)),
                        Optional.empty(),
                        0,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        true));
    }

    @Test
    void everythingASingleServerCanHave() {
        RedisUrl url = RedisUrl.parse(
                "rediss://me%3A:p%40ss%2Fword+1@[::1]:7000/12?sslrootcert=/etc/ca%20x.pem&sslmode=verify-ca");

        assertThat(url.tls()).isTrue();
        assertThat(url.servers()).containsExactly(new Server("::1", 7000));
        assertThat(url.database()).isEqualTo(12);
        assertThat(url.user()).contains("me:");
        assertThat(url.password()).contains(new Secret("p@ss/word+1"));
        assertThat(url.rootCertificate()).contains("/etc/ca x.pem");
        assertThat(url.verifyHost()).isFalse();
        assertThat(url.toString()).doesNotContain("p@ss");
    }

    @Test
    void sentinelsAndTheirMaster() {
        RedisUrl url = RedisUrl.parse("redis-sentinel://:pw@s1,s2:5000/my-master/3");

        assertThat(url.topology()).isEqualTo(Topology.SENTINEL);
        assertThat(url.servers()).containsExactly(new Server("s1", 26379), new Server("s2", 5000));
        assertThat(url.master()).contains("my-master");
        assertThat(url.database()).isEqualTo(3);
        assertThat(url.user()).isEmpty();
        assertThat(url.password()).contains(new Secret("pw"));
        assertThat(RedisUrl.parse("rediss-sentinel://s1/m").tls()).isTrue();
    }

    @Test
    void aCluster() {
        RedisUrl url = RedisUrl.parse("rediss-cluster://c1:7000,10.0.0.2:7001/");

        assertThat(url.topology()).isEqualTo(Topology.CLUSTER);
        assertThat(url.tls()).isTrue();
        assertThat(url.servers()).containsExactly(new Server("c1", 7000), new Server("10.0.0.2", 7001));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "redis:hunter2@h",
                "redis://",
                "redis://:hunter2@",
                "redis://u:hunter2@h:0",
                "redis://u:hunter2@h:65536",
                "redis://u:hunter2@h:1x",
                "redis://u:hunt@er2@h",
                "redis://u:hunter2#@h",
                "redis://u:hunter2/@h",
                "redis://u:hunter2%zz@h",
                "redis://hunter2@h",
                "redis://u:hunter2@h/1/2",
                "redis://u:hunter2@h/-1",
                "redis://u:hunter2@h h",
                "redis://u:hunter2@h?db=3",
                "rediss://u:hunter2@h?sslmode=none",
                "rediss://u:hunter2@h?sslrootcert=",
                "redis-sentinel://u:hunter2@h",
                "redis-sentinel://u:hunter2@h,/m",
                "redis-cluster://u:hunter2@h/2",
                "unix://u:hunter2@h/sock"
            })
    void whatIsWrongIsRefusedWithoutThePassword(String url) {
        assertThatThrownBy(() -> RedisUrl.parse(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasNoCause()
                .hasMessageNotContaining("hunt");
    }
}
