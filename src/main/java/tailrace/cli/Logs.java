package tailrace.cli;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.core.joran.spi.JoranException;
import ch.qos.logback.core.status.Status;
import java.net.URL;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig;

/** Sets logging up; the form of it is in {@code conf/logback.xml}. */
final class Logs {
    private static final String RESOURCE = "conf/logback.xml";

    private Logs() {}

    /** Makes the first line logged already look right. Call before anything can log. */
    static void beforeConfiguration() {
        System.setProperty("logback.configurationFile", RESOURCE);
    }

    /** Applies format and level, and lets every line bear the id of the request it was logged for. */
    static void configure(TailraceConfig.Logging logging) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            return; // somebody put another logger on the classpath, and configures that
        }
        URL resource = Logs.class.getClassLoader().getResource(RESOURCE);
        if (resource == null) {
            throw new IllegalStateException(RESOURCE + " is not on the classpath");
        }
        context.reset();
        context.putProperty("tailrace.log.level", logging.level());
        context.putProperty("tailrace.log.appender", logging.json() ? "json" : "text");
        if (!(context.getMDCAdapter() instanceof RequestMdc)) {
            context.setMDCAdapter(new RequestMdc(context.getMDCAdapter()));
        }
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        try {
            configurator.doConfigure(resource);
            context.getStatusManager().getCopyOfStatusList().stream()
                    .filter(status -> status.getEffectiveLevel() >= Status.ERROR)
                    .findFirst()
                    .ifPresent(status -> {
                        throw new IllegalStateException(RESOURCE + ": " + status.getMessage());
                    });
        } catch (JoranException e) {
            throw new IllegalStateException(RESOURCE + " cannot be used", e);
        }
    }
}
